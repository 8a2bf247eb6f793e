package org.ivit.train.device.floating;

import java.util.List;
import org.ivit.core.architecture.Head;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.pass.RowGather;
import org.ivit.train.parameter.PartSpec;

/**
 * Final norm and classifiers of the float network on the device: of the leading tokens, one a
 * classifier, of the mean over the patches, or of the first token and the mean. The logits are the
 * mean of theirs. Its output are float32 logits, [pictures][classes].
 */
final class DeviceFloatHead extends FloatPart {
  private final Head shape;
  private final TokenMean mean;

  /** Null where the first token is the answer. */
  private final DeviceFloatNorm norm;

  private final List<DeviceFloatLinear> heads;
  private long input;

  DeviceFloatHead(Pass pass, PartSpec spec, Head shape, int from) {
    super(pass, spec, from);
    this.shape = shape;
    mean = new TokenMean(shape.tokens(), shape.leadingTokens(), shape.dim());
    norm =
        shape.normed()
            ? new DeviceFloatNorm(pass, layout, shape.norm(), shape.dim(), shape.epsilon())
            : null;
    heads = shape.linears().stream().map(layer -> new DeviceFloatLinear(layout, layer)).toList();
  }

  /** Numbers of a picture. */
  private long stride() {
    return (long) shape.tokens() * shape.dim();
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    input = x;
    long logits = kept.of("logits", (long) pictures * shape.classes(), 4);
    if (norm == null) {
      RowGather.slice(pass, 4, x, logits, pictures, 0, 1, shape.tokens(), shape.dim());
      return logits;
    }
    if (shape.pooled()) {
      pool(pass, x, pictures, logits);
      return logits;
    }
    for (int h = 0; h < heads.size(); h++) {
      long normed = kept.of("norm" + h, (long) pictures * shape.dim(), 4);
      norm.forward(pass, x + 4L * h * shape.dim(), pictures, stride(), normed, h);
      classify(pass, h, normed, pictures, logits);
    }
    return logits;
  }

  /** Writes the logits of the first classifier, or takes in those of the second. */
  private void classify(Pass pass, int head, long features, int pictures, long logits) {
    if (head == 0) {
      heads.get(0).forward(pass, features, pictures, logits);
      return;
    }
    long count = (long) pictures * shape.classes();
    long more = pass.scratch.of("logits", count, 4);
    heads.get(head).forward(pass, features, pictures, more);
    DeviceFloatAdd.run(pass, logits, more, logits, count);
    pass.scale(logits, logits, count, 0, 1, 0, 1f / (head + 1));
  }

  private void pool(Pass pass, long x, int pictures, long logits) {
    int rows = pictures * shape.tokens();
    long normed = pass.scratch.of("branch", (long) rows * shape.dim(), 4);
    norm.forward(pass, x, rows, shape.dim(), normed, 0);
    if (heads.isEmpty()) {
      mean.forward(pass, normed, pictures, logits);
      return;
    }
    long means = kept.of("pool", (long) pictures * shape.dim(), 4);
    mean.forward(pass, normed, pictures, means);
    if (shape.tokenAndMean()) {
      long first = kept.of("norm0", (long) pictures * shape.dim(), 4);
      RowGather.slice(pass, 4, normed, first, pictures, 0, 1, shape.tokens(), shape.dim());
      classify(pass, 0, first, pictures, logits);
    }
    classify(pass, heads.size() - 1, means, pictures, logits);
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int dim = shape.dim();
    long size = pictures * stride();
    long gx = kept.of("gx", size, 4);
    pass.clear(gx, size);
    if (norm == null) {
      RowGather.spread(pass, 4, gy, gx, pictures, 1, shape.tokens(), dim);
      return gx;
    }
    if (shape.pooled()) {
      backwardPool(pass, gy, gx, pictures);
      return gx;
    }
    long gLogits = pass.partOfMean(gy, pictures, shape.classes(), heads.size());
    long gNorm = pass.scratch.of("gNorm", (long) pictures * dim, 4);
    for (int h = 0; h < heads.size(); h++) {
      heads.get(h).backward(pass, kept.of("norm" + h, 0, 4), gLogits, gNorm, pictures);
      long token = 4L * h * dim;
      boolean add = pass.added() || h > 0;
      norm.backward(pass, input + token, gNorm, gx + token, stride(), pictures, h, add);
    }
    return gx;
  }

  private void backwardPool(Pass pass, long gy, long gx, int pictures) {
    int dim = shape.dim();
    int rows = pictures * shape.tokens();
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    if (heads.isEmpty()) {
      mean.backward(pass, gy, pictures, gNorm);
    } else {
      backwardClassifiers(
          pass, pass.partOfMean(gy, pictures, shape.classes(), heads.size()), gNorm, pictures);
    }
    norm.backward(pass, input, gNorm, gx, dim, rows, 0, pass.added());
  }

  private void backwardClassifiers(Pass pass, long gLogits, long gNorm, int pictures) {
    int dim = shape.dim();
    long gFeature = pass.scratch.of("gContext", (long) pictures * dim, 4);
    DeviceFloatLinear last = heads.get(heads.size() - 1);
    last.backward(pass, kept.of("pool", 0, 4), gLogits, gFeature, pictures);
    mean.backward(pass, gFeature, pictures, gNorm);
    if (shape.tokenAndMean()) {
      heads.get(0).backward(pass, kept.of("norm0", 0, 4), gLogits, gFeature, pictures);
      // The first token takes no part in the mean, so that its gradient is 0 so far.
      RowGather.spread(pass, 4, gFeature, gNorm, pictures, 1, shape.tokens(), dim);
    }
  }

  @Override
  public void close() {
    super.close();
    if (norm != null) {
      norm.close();
    }
  }
}
