package org.ivit.core.engine.jni;

/**
 * The native methods, in {@code src/main/native/jni.c}. A {@code long} is a pointer: of a model
 * that owns all its nodes, of a node of one model, of the buffers of a picture or of a thread. Zero
 * and false mean refused, or out of memory where {@link #whole} says so. Nothing is checked here.
 */
final class NativeKernels {
  private NativeKernels() {}

  /** Returns why the kernels of a name do not run here, or null where they do. */
  static native String unavailable(String kernels);

  static native long newModel(String kernels, int height, int width, int patch, int classes);

  static native void freeModel(long model);

  /** Returns whether all memory that the model asked for could be had. */
  static native boolean whole(long model);

  /**
   * Weights are those of {@link NativeWeights}: codes where table and groupMultiplier are null,
   * else indices.
   */
  static native long linear(
      long model,
      byte[] weight,
      byte[] table,
      byte[] groupMultiplier,
      int bits,
      int groupShift,
      int inputs,
      int outputs,
      int[] bias,
      int[] outliers,
      int outlierShift,
      int[] multiplier,
      byte[] shift,
      boolean logits);

  static native long norm(long model, int[] multiplier, long[] offset, int shift, long epsilon);

  /** Tables by code + 128; {@code byRow} has one for each row maximum + 128. */
  static native long gelu(
      long model, boolean byRow, byte[] table, byte[] outlierTable, int[] outliers, int channels);

  static native long attention(
      long model,
      int heads,
      int headDim,
      int tokens,
      int scoreMultiplier,
      int scoreShift,
      int[] exponentials,
      int rounding,
      int bits,
      boolean deferred,
      int[] contextMultiplier,
      byte[] contextShift);

  /** Attention of one constant query, whose block has rows of values and a score a head. */
  static native long queryAttention(
      long model,
      int heads,
      int headDim,
      int tokens,
      int[] exponentials,
      int rounding,
      int bits,
      boolean deferred,
      int[] contextMultiplier,
      byte[] contextShift);

  /**
   * Gives an attention its relative position bias: requantized scores by code + 128, requantized
   * biases as their table has them, [relative positions][heads], masks [windows][query][words of 64
   * keys].
   */
  static native boolean window(
      long model,
      long attention,
      int[] score,
      int[] biases,
      int rows,
      int columns,
      int leading,
      long[] masks,
      int windows);

  /** Rotary positions of heads whose pairs are neighbours, [tokens][headDim]. */
  static native long turns(long model, short[] cos, short[] sin, int heads, int headDim);

  static native long rotation(long model, long turns, int multiplier, int shift);

  /** The table by code + 128, the multipliers of the channels. */
  static native long gating(long model, short[] table, int[] multiplier, byte[] shift);

  /**
   * Nodes are norm1, qkv, rotation, attention, proj, norm2, fc1, gelu, value, gating, the norm of
   * what is gated, fc2; a 0 stands for one that a block does not have. Residuals are two of {@code
   * adder}. With a query attention it is an attention pooling: qkv gives values, then scores, and
   * the identity of the first residual is zero.
   */
  static native long block(
      long model,
      int dim,
      int hidden,
      int tokens,
      int[] order,
      int[] places,
      int tokensIn,
      int qkvIn,
      long[] nodes,
      int[] residuals);

  /** The adder is multiplier and shift of the branch, then of the identity. */
  static native boolean embedStep(
      long model,
      int rows,
      int dim,
      long patchEmbed,
      int[] adder,
      int leading,
      short[] leadingCodes,
      short[] positions,
      long next);

  static native boolean patchNormStep(
      long model, int rows, int dim, long patchEmbed, long norm, long next);

  static native boolean blockStep(long model, int rows, long block, long next);

  /** {@code width} is that of the finer grid; tokens are written to {@code buffer}. */
  static native boolean mergeStep(
      long model, int rows, int dim, int width, int buffer, long norm, long reduction, long next);

  /** 16-bit codes of the tokens in their place; {@code next} may be 0, as above. */
  static native boolean normStep(long model, int rows, int dim, int buffer, long norm, long next);

  /** The mean of all tokens but leading ones, in the place of the first. */
  static native boolean meanStep(
      long model, int dim, int buffer, int tokens, int leading, int multiplier, int shift);

  /** 8-bit codes of {@code rows} tokens behind leading ones, for a head of their mean. */
  static native boolean normCodesStep(
      long model, int rows, int dim, int buffer, int leading, long norm);

  /** The head of token 0 sets the logits, others add theirs. */
  static native boolean headStep(long model, int dim, int buffer, int token, long norm, long head);

  /**
   * Of the mean of normed codes; without a head their sum is the answer.
   *
   * @param add whether logits are added to those of the head of a token
   */
  static native boolean poolHeadStep(
      long model, int dim, int tokens, int multiplier, int shift, boolean add, long head);

  /** The codes of the first token are the answer. */
  static native boolean firstTokenStep(long model, int dim, int buffer);

  static native long newPicture(long model);

  static native void freePicture(long picture);

  static native long newScratch(long model);

  static native void freeScratch(long scratch);

  static native void setCodes(long picture, byte[] codes, int at, int length);

  static native void logits(long picture, int[] logits, int at, int length);

  /**
   * Runs rows {@code from} to {@code to} − 1 of a phase of a step, and of each, where it has such,
   * heads or panels {@code first} to {@code end} − 1.
   */
  static native void run(
      long model,
      int step,
      long picture,
      long scratch,
      int phase,
      int from,
      int to,
      int first,
      int end);
}
