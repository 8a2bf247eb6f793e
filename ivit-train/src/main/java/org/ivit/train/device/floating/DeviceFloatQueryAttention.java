package org.ivit.train.device.floating;

import org.ivit.core.architecture.AttentionPooling;
import org.ivit.train.device.pass.AxisSwap;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.product.DeviceHeadProducts;
import org.ivit.train.device.product.Matrix;
import org.ivit.train.device.product.Product;

/** Attention of one query of the float network on the device, between scores and the context. */
record DeviceFloatQueryAttention(AttentionPooling site) {
  /** Probabilities of so many pictures. */
  long probabilities(int pictures) {
    return (long) pictures * site.heads() * site.tokens();
  }

  /**
   * @param scores address, [pictures·tokens][heads]
   * @param values address, [pictures·tokens][dim]
   * @param p receives probabilities, [pictures][heads][tokens]
   * @param context receives [pictures][dim]
   */
  void forward(Pass pass, long scores, long values, long p, int pictures, long context) {
    AxisSwap.run(pass, scores, p, pictures, site.tokens(), site.heads());
    softmax(pass, "softmax_reals", p, 0, pictures);
    DeviceHeadProducts products = DeviceHeadProducts.of(pass.product, site, pictures);
    products.toQueries(
        Product.Kind.NN_REAL_REAL,
        1,
        products.scores(p),
        products.values(values),
        products.context(context));
  }

  private void softmax(Pass pass, String kernel, long p, long gradient, int pictures) {
    RealSoftmaxArguments a = new RealSoftmaxArguments();
    a.scores.set(p);
    a.table.set(0L);
    a.places.set(0L);
    a.masks.set(0L);
    a.gradient.set(gradient);
    a.shape(pictures, site.heads(), 1, site.tokens(), 1);
    pass.warps(kernel, (long) pictures * site.heads(), a);
  }

  /**
   * @param values of the forward pass
   * @param p probabilities of the forward pass
   * @param gContext gradient by the context, [pictures][dim]
   * @param gScores receives that by the scores, [pictures·tokens][heads]
   * @param gValues receives that by the values, [pictures·tokens][dim]
   */
  void backward(
      Pass pass, long values, long p, long gContext, long gScores, long gValues, int pictures) {
    DeviceHeadProducts products = DeviceHeadProducts.of(pass.product, site, pictures);
    long gradient = pass.scratch.of("gScores", probabilities(pictures), 4);
    Matrix byContext = products.context(gContext);
    products.toKeys(
        Product.Kind.TN_REAL_REAL, 1, products.scores(p), byContext, products.values(gValues));
    products.toScores(
        Product.Kind.NT_REAL_REAL,
        1,
        byContext,
        products.values(values),
        products.scores(gradient));
    softmax(pass, "softmax_reals_backward", p, gradient, pictures);
    AxisSwap.run(pass, gradient, gScores, pictures, site.heads(), site.tokens());
  }
}
