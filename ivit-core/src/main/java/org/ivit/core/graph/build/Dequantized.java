package org.ivit.core.graph.build;

import java.util.HashMap;
import java.util.Map;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Stem.LeadingToken;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.graph.Attention;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.GraphVisitor;
import org.ivit.core.graph.IntegerAttentionPooling;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.IntegerHead;
import org.ivit.core.graph.IntegerMeanPooling;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.IntegerNorm;
import org.ivit.core.graph.IntegerStem;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Linear;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.weight.WeightGrid;

/**
 * The float parameters that an integer graph stands for: codes times scales. Scales that only
 * multipliers tell are taken from these, whose 31 bits say more than a float32 holds. The way back
 * of {@link GraphBuilder}, up to the rounding of biases and norms.
 */
public final class Dequantized implements GraphVisitor<Void> {
  private final IntegerGraph graph;
  private final Map<String, float[]> values = new HashMap<>();
  private final Map<String, float[]> scales = new HashMap<>();
  private final Map<String, WeightGrid> grids = new HashMap<>();

  private Dequantized(IntegerGraph graph) {
    this.graph = graph;
  }

  /**
   * @param graph of any architecture
   * @return parameters by timm name, with the scales and grids of the weights
   */
  public static FloatWeights of(IntegerGraph graph) {
    Dequantized weights = new Dequantized(graph);
    graph.parts().forEach(part -> part.accept(weights));
    return new FloatWeights(weights.values, weights.scales, weights.grids);
  }

  @Override
  public Void stem(IntegerStem stem) {
    add(stem.part().projection(), stem.projection(), graph.inputScale());
    if (stem.norm() != null) {
      add(stem.norm());
    } else {
      add(stem.part(), stem.embed(), stem.projection().outputScale());
    }
    return null;
  }

  @Override
  public Void block(IntegerBlock block) {
    Block part = block.part();
    add(block.norm1());
    add(part.qkvLinear(), block.qkv(), block.norm1().outputScale());
    Attention attention = block.attention();
    if (attention.position() != null) {
      values.put(
          part.positionTable(),
          times(attention.position().table(), attention.position().tableScale()));
    }
    add(part.projLinear(), block.proj(), attention.contextScale());
    add(block.norm2());
    add(part.fc1Linear(), block.fc1(), block.norm2().outputScale());
    if (block.value() != null) {
      add(part.valueLinear(), block.value(), block.norm2().outputScale());
    }
    if (block.mlpNorm() != null) {
      add(block.mlpNorm());
    }
    add(part.fc2Linear(), block.fc2(), block.activatedScale());
    removeOffset(part.fc2Linear(), block.fc2(), block.activatedScale());
    return null;
  }

  @Override
  public Void merging(IntegerMerging merging) {
    add(merging.norm());
    add(merging.part().reduction(), merging.reduction(), merging.norm().outputScale());
    return null;
  }

  @Override
  public Void norm(IntegerNorm norm) {
    add(norm.norm());
    return null;
  }

  @Override
  public Void meanPooling(IntegerMeanPooling pooling) {
    return null;
  }

  @Override
  public Void attentionPooling(IntegerAttentionPooling pooling) {
    AttentionPooling part = pooling.part();
    float normed = pooling.norm().outputScale();
    float activated = pooling.gelu().outputScale();
    add(pooling.norm());
    add(part.scoresLinear(), pooling.scores(), normed);
    add(part.valuesLinear(), pooling.values(), normed);
    add(part.projLinear(), pooling.proj(), pooling.attention().contextScale());
    add(pooling.norm2());
    add(part.fc1Linear(), pooling.fc1(), pooling.norm2().outputScale());
    add(part.fc2Linear(), pooling.fc2(), activated);
    removeOffset(part.fc2Linear(), pooling.fc2(), activated);
    return null;
  }

  @Override
  public Void head(IntegerHead head) {
    if (head.norm() == null) {
      return null;
    }
    add(head.norm());
    for (int i = 0; i < head.classifiers().size(); i++) {
      LinearSpec layer = head.part().linears().get(i);
      boolean mean = layer.input().equals(head.part().pool());
      float scale = mean ? head.pool().outputScale() : head.norm().outputScale();
      add(layer, head.classifiers().get(i), scale);
    }
    return null;
  }

  /** Takes out of a bias what the offset of asymmetric input codes put there. */
  private void removeOffset(LinearSpec layer, Linear linear, float input) {
    Scheme scheme = graph.scheme();
    OutlierChannels apart = scheme.outliers(layer.input());
    int offset = scheme.offset(layer.input(), input);
    int apartOffset = scheme.offset(layer.input(), apart.outlierScale(input));
    float[] scale = scales.get(layer.weight());
    float[] bias = values.get(layer.bias());
    byte[] weight = linear.weight();
    for (int c = 0; c < bias.length; c++) {
      long sum = 0;
      for (int k = 0; k < linear.inputs(); k++) {
        long code = weight[c * linear.inputs() + k];
        sum += apart.contains(k) ? (code * apartOffset) << apart.shift() : code * offset;
      }
      bias[c] -= (float) (sum * (double) scale[c] * input);
    }
  }

  private void add(Stem stem, Embed embed, float patchScale) {
    int from = 0;
    for (LeadingToken leading : stem.leading()) {
      float[] token = new float[leading.count() * stem.dim()];
      for (int i = 0; i < token.length; i++) {
        token[i] = embed.leading()[from + i] * patchScale;
      }
      values.put(leading.name(), token);
      from += token.length;
    }
    int positioned = stem.positionRows() * stem.dim();
    if (positioned > 0) {
      float[] position = new float[positioned];
      int without = embed.position().length - positioned;
      for (int i = 0; i < positioned; i++) {
        position[i] = embed.position()[without + i] * embed.positionScale();
      }
      values.put(Stem.POSITION, position);
    }
  }

  private static float[] times(byte[] codes, float scale) {
    float[] values = new float[codes.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = codes[i] * scale;
    }
    return values;
  }

  private void add(LinearSpec layer, Linear linear, float inputScale) {
    OutlierChannels outliers = graph.scheme().outliers(layer.node());
    DyadicVector multipliers = linear.requantization();
    byte[] codes = linear.weight();
    float[] weight = new float[codes.length];
    float[] scale = new float[linear.outputs()];
    float[] bias = new float[linear.outputs()];
    for (int c = 0; c < bias.length; c++) {
      double accumulator =
          Math.scalb((double) multipliers.multiplier()[c], -multipliers.shift()[c])
              * outliers.scale(linear.outputScale(), c);
      scale[c] = Math.max((float) (accumulator / inputScale), Quantizer.MIN_SCALE * 0x1p-60f);
      bias[c] = (float) (linear.bias()[c] * accumulator);
      for (int k = c * linear.inputs(); k < (c + 1) * linear.inputs(); k++) {
        weight[k] = codes[k] * scale[c];
      }
    }
    values.put(layer.weight(), weight);
    scales.put(layer.weight(), scale);
    if (linear.codes().grid() != null) {
      grids.put(layer.weight(), linear.codes().grid());
    }
    if (layer.biased()) {
      values.put(layer.bias(), bias);
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
