package org.ivit.train.device.floating;

import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Windows;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.PositionPairs;
import org.ivit.train.device.product.DeviceHeadProducts;
import org.ivit.train.device.product.Matrix;
import org.ivit.train.device.product.Product;

/** Multi-head self-attention of the float network on the device, between qkv and the context. */
final class DeviceFloatAttention implements AutoCloseable {
  private final Block site;
  private final Windows windows;
  private final int tokens;
  private final int dim;
  private final int heads;
  private final float scale;
  private final int positionsAt;
  private final DeviceBuffers memory;

  /**
   * @param pass what parts share
   * @param site sizes
   * @param positionsAt index of the relative position table among the network's parameters; not
   *     used where there are no windows
   */
  DeviceFloatAttention(Pass pass, Block site, int positionsAt) {
    this.site = site;
    this.positionsAt = positionsAt;
    windows = site.windows();
    tokens = site.rowTokens();
    dim = site.dim();
    heads = site.heads();
    scale = (float) (1 / Math.sqrt(site.headDim()));
    memory = new DeviceBuffers(pass.device);
  }

  /** Probabilities of so many pictures. */
  long probabilities(int pictures) {
    return (long) pictures * site.groups() * heads * tokens * tokens;
  }

  private DeviceHeadProducts products(Pass pass, int groups) {
    return DeviceHeadProducts.of(pass.product, site, groups);
  }

  /**
   * @param qkv address, [groups·tokens][3·dim]
   * @param p receives probabilities, [groups][heads][query][key]
   * @param context receives [groups·tokens][dim]
   */
  void forward(Pass pass, long qkv, long p, int pictures, long context) {
    int groups = pictures * site.groups();
    DeviceHeadProducts products = products(pass, groups);
    Matrix queries = products.third(qkv);
    Matrix keys = products.third(qkv + 4L * dim);
    Matrix values = products.third(qkv + 8L * dim);
    Matrix scores = products.scores(p);
    products.toScores(Product.Kind.NT_REAL_REAL, scale, queries, keys, scores);
    pass.warps("softmax_reals", (long) groups * heads * tokens, softmax(pass, p, 0, groups));
    products.toQueries(Product.Kind.NN_REAL_REAL, 1, scores, values, products.context(context));
  }

  private RealSoftmaxArguments softmax(Pass pass, long p, long gradient, int groups) {
    boolean inWindows = windows != null;
    boolean masked = inWindows && windows.shifted();
    RealSoftmaxArguments a = new RealSoftmaxArguments();
    a.scores.set(p);
    a.table.set(inWindows ? pass.parameters + 4L * positionsAt : 0);
    a.places.set(inWindows ? memory.constants("places", windows::relativeIndex) : 0);
    a.masks.set(masked ? memory.constants("masks", this::masks) : 0);
    a.gradient.set(gradient);
    a.shape(groups, heads, tokens, tokens, inWindows ? windows.count() : 1);
    return a;
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
    DeviceHeadProducts products = products(pass, groups);
    long gradient = pass.scratch.of("gScores", probabilities(pictures), 4);
    Matrix byScores = products.scores(gradient);
    Matrix byContext = products.context(gContext);
    products.toKeys(
        Product.Kind.TN_REAL_REAL,
        1,
        products.scores(p),
        byContext,
        products.third(gQkv + 8L * dim));
    products.toScores(
        Product.Kind.NT_REAL_REAL, 1, byContext, products.third(qkv + 8L * dim), byScores);
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
    Matrix keys = products.third(qkv + 4L * dim);
    products.toQueries(Product.Kind.NN_REAL_REAL, scale, byScores, keys, products.third(gQkv));
    Matrix queries = products.third(qkv);
    products.toKeys(
        Product.Kind.TN_REAL_REAL, scale, byScores, queries, products.third(gQkv + 4L * dim));
  }

  @Override
  public void close() {
    memory.close();
  }
}
