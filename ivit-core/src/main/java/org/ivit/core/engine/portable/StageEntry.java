package org.ivit.core.engine.portable;

import org.ivit.core.engine.portable.BlockRunner.Picture;
import org.ivit.core.engine.portable.BlockRunner.Rows;

/** What makes the tokens that the blocks of a stage start from. */
interface StageEntry {
  /** Most numbers that feed the product of a row. */
  int inputs();

  /**
   * Makes some tokens of a picture.
   *
   * @param codes of the batch, [pictures][3][image][image]
   * @param index of the picture
   * @param from first token
   * @param n number of tokens
   * @param before tokens of the stage before
   * @param after receives the tokens
   */
  void run(byte[] codes, int index, int from, int n, Picture before, Picture after, Rows scratch);
}
