package org.ivit.core.graph;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;

/**
 * The float parameters that an integer graph stands for: codes times scales. Scales that only
 * multipliers tell are taken from these, whose 31 bits say more than a float32 holds. The way back
 * of {@link GraphBuilder}, up to the rounding of biases and norms.
 */
public final class Dequantized {
  private final IntegerGraph graph;
  private final Map<String, float[]> values = new HashMap<>();
  private final Map<String, float[]> scales = new HashMap<>();

  private Dequantized(IntegerGraph graph) {
    this.graph = graph;
  }

  /**
   * @param graph of any architecture
   * @return parameters by timm name, with the scales of the weights
   */
  public static FloatWeights of(IntegerGraph graph) {
    Dequantized weights = new Dequantized(graph);
    if (graph instanceof SwinGraph swin) {
      weights.add(swin);
    } else {
      weights.add((VitGraph) graph);
    }
    return new FloatWeights(weights.values, weights.scales);
  }

  private void add(VitGraph vit) {
    float patchScale = vit.patchEmbed().outputScale();
    add(NodeNames.PATCH_PROJECTION, vit.patchEmbed(), vit.inputScale());
    add(vit.architecture().leading(), vit.embed(), patchScale);
    vit.blocks().forEach(this::add);
    add(vit.norm());
    vit.heads().forEach(head -> add(head.name(), head, vit.norm().outputScale()));
  }

  private void add(SwinGraph swin) {
    add(NodeNames.PATCH_PROJECTION, swin.patchEmbed(), swin.inputScale());
    add(swin.patchNorm());
    for (SwinStage stage : swin.stages()) {
      stage.blocks().forEach(this::add);
      if (stage.merging() != null) {
        LayerNorm norm = stage.merging().norm();
        add(norm);
        Linear reduction = stage.merging().reduction();
        add(reduction.name(), reduction, norm.outputScale());
      }
    }
    add(swin.norm());
    add(NodeNames.HEAD, swin.head(), swin.pool().outputScale());
  }

  private void add(IntegerBlock block) {
    add(block.norm1());
    add(block.qkv().name(), block.qkv(), block.norm1().outputScale());
    Attention attention = block.attention();
    if (attention.position() != null) {
      values.put(
          block.site().node(NodeNames.POSITION_TABLE),
          times(attention.position().table(), attention.position().tableScale()));
    }
    add(block.proj().name(), block.proj(), attention.contextScale());
    add(block.norm2());
    add(block.fc1().name(), block.fc1(), block.norm2().outputScale());
    String act = block.gelu().name();
    float actScale = block.gelu().outputScale();
    OutlierChannels apart = block.gelu().outputOutliers();
    Scheme scheme = graph.scheme();
    Linear fc2 = block.fc2();
    add(fc2.name(), fc2, actScale);
    removeOffset(
        fc2, scheme.offset(act, actScale), apart, scheme.offset(act, apart.outlierScale(actScale)));
  }

  /** Takes out of a bias what the offset of asymmetric input codes put there. */
  private void removeOffset(Linear linear, int offset, OutlierChannels apart, int apartOffset) {
    float[] scale = scales.get(linear.name() + ".weight");
    float[] bias = values.get(linear.name() + ".bias");
    float input = graph.scales().get(linear.name().replace("fc2", "act"));
    for (int c = 0; c < bias.length; c++) {
      long sum = 0;
      for (int k = 0; k < linear.inputs(); k++) {
        long weight = linear.weight()[c * linear.inputs() + k];
        sum += apart.contains(k) ? (weight * apartOffset) << apart.shift() : weight * offset;
      }
      bias[c] -= (float) (sum * (double) scale[c] * input);
    }
  }

  private void add(List<String> leading, Embed embed, float patchScale) {
    int channels = embed.leading().length / leading.size();
    for (int i = 0; i < leading.size(); i++) {
      float[] token = new float[channels];
      for (int c = 0; c < channels; c++) {
        token[c] = embed.leading()[i * channels + c] * patchScale;
      }
      values.put(leading.get(i), token);
    }
    float[] position = new float[embed.position().length];
    for (int i = 0; i < position.length; i++) {
      position[i] = embed.position()[i] * embed.positionScale();
    }
    values.put("pos_embed", position);
  }

  private static float[] times(byte[] codes, float scale) {
    float[] values = new float[codes.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = codes[i] * scale;
    }
    return values;
  }

  private void add(String name, Linear linear, float inputScale) {
    OutlierChannels outliers = graph.scheme().outliers(linear.name());
    DyadicVector multipliers = linear.requantization();
    float[] weight = new float[linear.weight().length];
    float[] scale = new float[linear.outputs()];
    float[] bias = new float[linear.outputs()];
    for (int c = 0; c < bias.length; c++) {
      double accumulator =
          Math.scalb((double) multipliers.multiplier()[c], -multipliers.shift()[c])
              * outliers.scale(linear.outputScale(), c);
      scale[c] = Math.max((float) (accumulator / inputScale), Quantizer.MIN_SCALE * 0x1p-60f);
      bias[c] = (float) (linear.bias()[c] * accumulator);
      for (int k = c * linear.inputs(); k < (c + 1) * linear.inputs(); k++) {
        weight[k] = linear.weight()[k] * scale[c];
      }
    }
    values.put(name + ".weight", weight);
    scales.put(name + ".weight", scale);
    if (graph.architecture().parameters().containsKey(name + ".bias")) {
      values.put(name + ".bias", bias);
    }
  }

  private void add(LayerNorm norm) {
    ILayerNorm.Constants constants = norm.constants();
    int channels = norm.channels();
    float[] gamma = new float[channels];
    float[] beta = new float[channels];
    double root = Math.sqrt(channels);
    for (int c = 0; c < channels; c++) {
      double scale = norm.outputOutliers().scale(norm.outputScale(), c);
      gamma[c] = (float) (constants.multiplier()[c] * 0x1p30 / root * scalb(scale, constants));
      beta[c] = (float) (constants.offset()[c] * scalb(scale, constants));
    }
    values.put(norm.name() + ".weight", gamma);
    values.put(norm.name() + ".bias", beta);
  }

  private static double scalb(double scale, ILayerNorm.Constants constants) {
    return Math.scalb(scale, -constants.shift());
  }
}
