/**
 * A story: what is played, and on which stage.
 * @module
 */
import type { Narrator } from './narrator';
import type { Profile } from './stage';
import type { World } from './world';

/** What must be so; the sentence says what is wrong when it is not. The story goes on. */
export type Expect = (isSo: boolean, otherwise: string) => void;

export interface Story {
  profile: Profile;
  /** Rejects when it cannot go on. */
  play(world: World, tell: Narrator, expect: Expect): Promise<void>;
}
