/**
 * Ids of questions that more than one file must know. They stand in histories and in the state: never change one.
 * @module
 */
import type { MeasureName } from './case';
import type { Proposal } from './ladder';

/** May its user be contained? */
export const mayContain = 'contain';

/** Lost in the office? Followed by the name of the site. */
export const aboutOffice = 'office: ';

export const proposalId = (proposal: Proposal) => `propose: ${proposal}`;

/** Somebody took a lever away too often: is it put back once more? The step that puts it back has the same name. */
export const putBackStep = (lever: MeasureName) => `put back: ${lever}`;
