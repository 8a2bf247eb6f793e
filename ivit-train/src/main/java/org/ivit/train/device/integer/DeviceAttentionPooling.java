package org.ivit.train.device.integer;

import java.util.List;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.QueryAttention;
import org.ivit.core.graph.build.LinearConstants;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.device.pass.MlpSite;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.parameter.PartSpec;

/** Attention pooling on the device. */
final class DeviceAttentionPooling extends QuantizedPart {
  private final AttentionPooling site;
  private final DeviceNorm norm;
  private final DeviceLinear scores;
  private final DeviceLinear values;
  private final DeviceQueryAttention attention;
  private final DeviceLinear proj;
  private final DeviceMlp mlp;
  private LayerNorm builtNorm;
  private List<LinearConstants> builtLinears;
  private QueryAttention builtAttention;
  private float inputScale;
  private long input;

  DeviceAttentionPooling(Pass pass, PartSpec spec, AttentionPooling site, Scheme scheme, int from) {
    super(pass, spec, scheme, from);
    this.site = site;
    norm = new DeviceNorm(pass, layout, site.norm(), site.dim());
    scores = linear(pass, site.scoresLinear());
    values = linear(pass, site.valuesLinear());
    attention = new DeviceQueryAttention(site);
    proj = linear(pass, site.projLinear());
    mlp = new DeviceMlp(pass, layout, MlpSite.of(site), scheme, DropPath.of(spec, 0), kept);
  }

  private DeviceLinear linear(Pass pass, LinearSpec of) {
    return new DeviceLinear(pass, layout, of, scheme.outliers(of.input()));
  }

  private List<DeviceLinear> linears() {
    return List.of(scores, values, proj);
  }

  @Override
  public void quantize(Pass pass, Reals weights) {
    NodeScales scales = scales(weights);
    linears().forEach(linear -> linear.quantize(pass, weights, scales));
    mlp.quantize(pass, weights, scales);
  }

  @Override
  public void build(Pass pass, Reals weights) {
    NodeBuilder nodes = nodes(weights);
    NodeScales scales = scales(weights);
    inputScale = inputScale(weights);
    builtNorm = nodes.norm(site.norm(), site.epsilon(), inputScale, scales.of(site.norm()));
    builtLinears = linears().stream().map(linear -> linear.build(pass, nodes, scales)).toList();
    builtAttention = nodes.queryAttention(site, scales);
    mlp.build(pass, nodes, scales, builtLinears.get(2).outputScale());
  }

  @Override
  public void prepare(Pass pass, Reals weights) {
    norm.prepare(pass, builtNorm, weights, inputScale);
    for (int i = 0; i < builtLinears.size(); i++) {
      linears().get(i).prepare(pass, builtLinears.get(i));
    }
    attention.prepare(pass, builtAttention, builtLinears.get(1).outputScale());
    mlp.prepare(pass, weights);
  }

  @Override
  public void load(Pass pass) {
    linears().forEach(linear -> linear.load(pass));
    mlp.load(pass);
  }

  @Override
  public long forward(Pass pass, long x, int pictures) {
    int dim = site.dim();
    int rows = pictures * site.tokens();
    input = x;
    long normed = kept.of("norm", (long) rows * dim, 1);
    norm.forward8(pass, x, rows, normed, 0);
    long scoreCodes = pass.scratch.of("codes", (long) rows * site.heads(), 1);
    scores.forward8(pass, normed, rows, scoreCodes);
    long valueCodes = kept.of("v", (long) rows * dim, 1);
    values.forward8(pass, normed, rows, valueCodes);
    long probabilities = kept.of("probabilities", attention.probabilities(pictures), 2);
    long context = kept.of("context", (long) pictures * dim, 1);
    attention.forward(pass, scoreCodes, valueCodes, probabilities, pictures, context);
    long token = kept.of("proj", (long) pictures * dim, 2);
    proj.forward16(pass, context, pictures, token);
    long sum = kept.of("residual", (long) pictures * dim, 2);
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
    proj.backward(pass, kept.of("context", 0, 1), gy, gContext, pictures);
    long gScores = pass.scratch.of("gHidden", (long) rows * site.heads(), 4);
    long gValues = pass.scratch.of("gQkv", (long) rows * dim, 4);
    attention.backward(
        pass,
        kept.of("v", 0, 1),
        kept.of("probabilities", 0, 2),
        gContext,
        gScores,
        gValues,
        pictures);
    long normed = kept.of("norm", 0, 1);
    long gNorm = pass.scratch.of("gNorm", (long) rows * dim, 4);
    values.backward(pass, normed, gValues, gNorm, rows);
    scores.backwardAdded(pass, normed, gScores, gNorm, rows);
    long gx = kept.of("gx", (long) rows * dim, 4);
    pass.clear(gx, (long) rows * dim);
    norm.backward(pass, input, gNorm, gx, dim, rows, 0, pass.added());
    return gx;
  }

  @Override
  public void seen(Pass pass, SeenRanges seen) {
    norm.seen(pass, seen);
    linears().forEach(linear -> linear.seen(pass, OutlierChannels.NONE, seen));
    attention.seen(pass, seen);
    mlp.seen(pass, seen);
  }

  @Override
  public void close() {
    super.close();
    norm.close();
    linears().forEach(DeviceLinear::close);
    mlp.close();
  }
}
