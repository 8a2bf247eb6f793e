package org.ivit.train.device.floating;

import org.ivit.core.architecture.AttentionPooling;
import org.ivit.train.device.pass.MlpSite;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.operator.DropPath;
import org.ivit.train.parameter.PartSpec;

/** Attention pooling of the float network on the device. */
final class DeviceFloatAttentionPooling extends FloatPart {
  private final AttentionPooling site;
  private final DeviceFloatNorm norm;
  private final DeviceFloatLinear scores;
  private final DeviceFloatLinear values;
  private final DeviceFloatQueryAttention attention;
  private final DeviceFloatLinear proj;
  private final DeviceFloatMlp mlp;
  private long input;

  DeviceFloatAttentionPooling(Pass pass, PartSpec spec, AttentionPooling site, int from) {
    super(pass, spec, from);
    this.site = site;
    norm = new DeviceFloatNorm(pass, layout, site.norm(), site.dim(), site.epsilon());
    scores = new DeviceFloatLinear(layout, site.scoresLinear());
    values = new DeviceFloatLinear(layout, site.valuesLinear());
    attention = new DeviceFloatQueryAttention(site);
    proj = new DeviceFloatLinear(layout, site.projLinear());
    mlp = new DeviceFloatMlp(pass, layout, MlpSite.of(site), DropPath.of(spec, 0), kept);
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    input = x;
    long normed = kept.of("norm", (long) rows * dim, 4);
    norm.forward(pass, x, rows, dim, normed, 0);
    long byToken = pass.scratch.of("scores", (long) rows * site.heads(), 4);
    scores.forward(pass, normed, rows, byToken);
    long v = kept.of("v", (long) rows * dim, 4);
    values.forward(pass, normed, rows, v);
    long probabilities = kept.of("probabilities", attention.probabilities(pictures), 4);
    long context = kept.of("context", (long) pictures * dim, 4);
    attention.forward(pass, byToken, v, probabilities, pictures, context);
    long token = kept.of("proj", (long) pictures * dim, 4);
    proj.forward(pass, context, pictures, token);
    long sum = kept.of("residual", (long) pictures * dim, 4);
    mlp.forward(pass, token, pictures, sum);
    return sum;
  }

  @Override
  public long backward(Pass pass, long gy, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    // From here on gy is the gradient by the token before the MLP.
    mlp.backward(pass, gy, pictures);
    long gContext = pass.scratch.of("gContext", (long) pictures * dim, 4);
    proj.backward(pass, kept.of("context", 0, 4), gy, gContext, pictures);
    long gScores = pass.scratch.of("gHidden", (long) rows * site.heads(), 4);
    long gValues = pass.scratch.of("gQkv", (long) rows * dim, 4);
    attention.backward(
        pass,
        kept.of("v", 0, 4),
        kept.of("probabilities", 0, 4),
        gContext,
        gScores,
        gValues,
        pictures);
    long normed = kept.of("norm", 0, 4);
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    values.backward(pass, normed, gValues, gNorm, rows);
    long more = pass.scratch.of("gOrdered", (long) rows * dim, 4);
    scores.backward(pass, normed, gScores, more, rows);
    DeviceFloatAdd.run(pass, gNorm, more, gNorm, (long) rows * dim);
    long gx = kept.of("gx", (long) rows * dim, 4);
    pass.clear(gx, (long) rows * dim);
    norm.backward(pass, input, gNorm, gx, dim, rows, 0, pass.added());
    return gx;
  }

  @Override
  public void close() {
    super.close();
    norm.close();
    mlp.close();
  }
}
