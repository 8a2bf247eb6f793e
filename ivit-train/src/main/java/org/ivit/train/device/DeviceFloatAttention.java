package org.ivit.train.device;

import org.ivit.core.architecture.BlockSite;
import org.ivit.core.architecture.Windows;
import org.ivit.core.cuda.Arguments;

/** Multi-head self-attention of the float network on the device, between qkv and the context. */
final class DeviceFloatAttention implements AutoCloseable {
  private final BlockSite site;
  private final Windows windows;
  private final int tokens;
  private final int dim;
  private final int heads;
  private final int headDim;
  private final float scale;
  private final int positionsAt;
  private final DeviceBuffers memory;

  /**
   * @param pass what parts share
   * @param site sizes
   * @param positionsAt index of the relative position table among the network's parameters; not
   *     used where there are no windows
   */
  DeviceFloatAttention(Pass pass, BlockSite site, int positionsAt) {
    this.site = site;
    this.positionsAt = positionsAt;
    windows = site.windows();
    tokens = site.rowTokens();
    dim = site.dim();
    heads = site.heads();
    headDim = site.headDim();
    scale = (float) (1 / Math.sqrt(headDim));
    memory = new DeviceBuffers(pass.device);
  }

  /** Probabilities of so many pictures. */
  long probabilities(int pictures) {
    return (long) pictures * site.groups() * heads * tokens * tokens;
  }

  private Matrix scores(long address) {
    int square = tokens * tokens;
    return new Matrix(address, (long) heads * square, square, tokens);
  }

  private Matrix context(long address) {
    return new Matrix(address, (long) tokens * dim, headDim, dim);
  }

  /** Queries, keys or values by group and head: a third of qkv, or of its gradient. */
  private Matrix third(long qkv, int number) {
    return new Matrix(qkv + 4L * number * dim, 3L * tokens * dim, headDim, 3L * dim);
  }

  /**
   * @param qkv address, [groups·tokens][3·dim]
   * @param p receives probabilities, [groups][heads][query][key]
   * @param context receives [groups·tokens][dim]
   */
  void forward(Pass pass, long qkv, long p, int pictures, long context) {
    int groups = pictures * site.groups();
    pass.product.batch(
        Product.Kind.NT_REAL_REAL,
        tokens,
        tokens,
        headDim,
        groups,
        heads,
        scale,
        third(qkv, 0),
        third(qkv, 1),
        scores(p));
    pass.warps("softmax_reals", (long) groups * heads * tokens, softmax(pass, p, 0, groups));
    pass.product.batch(
        Product.Kind.NN_REAL_REAL,
        tokens,
        headDim,
        tokens,
        groups,
        heads,
        1,
        scores(p),
        third(qkv, 2),
        context(context));
  }

  private Arguments softmax(Pass pass, long p, long gradient, int groups) {
    boolean inWindows = windows != null;
    boolean masked = inWindows && windows.shift() != 0;
    return new Arguments()
        .address(p)
        .address(inWindows ? pass.parameters + 4L * positionsAt : 0)
        .address(inWindows ? memory.constants("places", windows::relativeIndex) : 0)
        .address(masked ? memory.constants("masks", this::masks) : 0)
        .address(gradient)
        .longs((long) groups * heads * tokens)
        .ints(tokens, heads, inWindows ? windows.count() : 1, 0);
  }

  private int[] masks() {
    int square = tokens * tokens;
    int[] masks = new int[windows.count() * square];
    for (int w = 0; w < windows.count(); w++) {
      boolean[] mask = windows.mask(w);
      for (int i = 0; mask != null && i < square; i++) {
        masks[w * square + i] = mask[i] ? 1 : 0;
      }
    }
    return masks;
  }

  /**
   * @param qkv of the forward pass
   * @param p probabilities of the forward pass
   * @param gContext gradient by the context, [groups·tokens][dim]
   * @param gQkv receives that by qkv, [groups·tokens][3·dim]
   */
  void backward(Pass pass, long qkv, long p, long gContext, long gQkv, int pictures) {
    int groups = pictures * site.groups();
    Product product = pass.product;
    product.batch(
        Product.Kind.TN_REAL_REAL,
        tokens,
        headDim,
        tokens,
        groups,
        heads,
        1,
        scores(p),
        context(gContext),
        third(gQkv, 2));
    long gradient = pass.scratch.of("gScores", probabilities(pictures), 4);
    product.batch(
        Product.Kind.NT_REAL_REAL,
        tokens,
        tokens,
        headDim,
        groups,
        heads,
        1,
        context(gContext),
        third(qkv, 2),
        scores(gradient));
    pass.warps(
        "softmax_reals_backward",
        (long) groups * heads * tokens,
        softmax(pass, p, gradient, groups));
    if (windows != null) {
      PositionPairs.backward(
          pass,
          windows,
          heads,
          groups,
          gradient,
          memory.constants("first", () -> PositionPairs.of(windows).first()),
          memory.constants("pairs", () -> PositionPairs.of(windows).pairs()),
          pass.gradients + 4L * positionsAt);
    }
    product.batch(
        Product.Kind.NN_REAL_REAL,
        tokens,
        headDim,
        tokens,
        groups,
        heads,
        scale,
        scores(gradient),
        third(qkv, 1),
        third(gQkv, 0));
    product.batch(
        Product.Kind.TN_REAL_REAL,
        tokens,
        headDim,
        tokens,
        groups,
        heads,
        scale,
        scores(gradient),
        third(qkv, 0),
        third(gQkv, 1));
  }

  @Override
  public void close() {
    memory.close();
  }
}
