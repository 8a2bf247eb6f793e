package org.ivit.core.engine.portable;

import org.ivit.core.engine.portable.BlockRunner.Rows;

/** What lies between the norm before an MLP and its last product. */
interface HiddenKernel {
  /** From {@code n} rows of {@link Rows#norm} to as many of {@link Rows#act}. */
  void run(int n, Rows scratch);
}
