/**
 * A story: what is played, and on which stage.
 * @module
 */
import type { Narrator } from './narrator';
import type { Profile } from './stage';
import type { World } from './world';

export interface Story {
  profile: Profile;
  /** Resolves with what was found wrong, nothing when it ended as it should. */
  play(world: World, tell: Narrator): Promise<string[]>;
}
