package org.ivit.core.engine.portable;

import org.ivit.core.engine.portable.BlockRunner.Picture;

/** What follows the blocks: makes other tokens of those that the stream has. */
interface StreamKernel {
  /**
   * Makes the tokens of one picture, in place, from the first on.
   *
   * @param runner of the blocks before it
   */
  void run(BlockRunner runner, Picture picture);

  /** Lets go of all buffers. */
  default void clear() {}
}
