package org.ivit.train.ptq;

import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Part;
import org.ivit.core.graph.FloatWeights;

/**
 * Rewrites a float model so that queries, keys and values share their one 8-bit scale well: a
 * channel of the queries is divided by what the same channel of the keys is multiplied by, and a
 * channel of the values by what the projection's column is multiplied by. Channels that rotary
 * positions turn into each other have one factor, which does not mind the angle. In an attention
 * pooling the values alone have a scale, and a constant query. The float function stays the same to
 * rounding (cross-layer equalization, Nagel et al. 2019).
 */
public final class AttentionEqualization {
  /** Channels that are never met are left alone. */
  private static final float SMALLEST = 1e-6f;

  private AttentionEqualization() {}

  /**
   * Equalizes every block and attention pooling.
   *
   * @param architecture sizes
   * @param weights parameters by timm name, not changed
   * @param largest largest absolute value of each channel of what each block's attention reads, and
   *     of an attention pooling's values, by node
   * @return other weights of the same float function
   * @throws InputException if weights have frozen scales
   */
  public static FloatWeights apply(
      Architecture architecture, FloatWeights weights, Map<String, float[]> largest) {
    if (!weights.scales().isEmpty()) {
      throw new InputException(
          "quantization.equalize: found frozen scales of "
              + weights.scales().keySet().iterator().next()
              + ", whose codes equalization would change, expected false");
    }
    Map<String, float[]> values = new LinkedHashMap<>();
    weights.values().forEach((name, value) -> values.put(name, value.clone()));
    for (Part part : architecture.parts()) {
      if (part instanceof Block site) {
        block(
            values.get(site.qkvLinear().weight()),
            values.get(site.qkvLinear().bias()),
            values.get(site.projLinear().weight()),
            largest.get(site.attended().name()),
            partners(site));
      } else if (part instanceof AttentionPooling pooling) {
        float[] met = largest.get(pooling.valuesLinear().node().name());
        values(
            values.get(pooling.valuesLinear().weight()),
            values.get(pooling.valuesLinear().bias()),
            values.get(pooling.projLinear().weight()),
            met,
            0,
            largest(met),
            pooling.dim());
      }
    }
    return new FloatWeights(values, Map.of());
  }

  private static float largest(float[] values) {
    float top = 0;
    for (float value : values) {
      top = Math.max(top, value);
    }
    return top;
  }

  /** The channel of the queries that has the same factor as each; without rotary positions it. */
  private static int[] partners(Block site) {
    int[] partners = new int[site.dim()];
    for (int c = 0; c < partners.length; c++) {
      int inHead = c % site.headDim();
      partners[c] =
          site.rotary() == null
              ? c
              : c - inHead + site.rotary().kind().partner(inHead, site.headDim());
    }
    return partners;
  }

  private static void block(
      float[] weight, float[] bias, float[] projection, float[] largest, int[] partners) {
    int dim = partners.length;
    float top = 0;
    for (int c = 0; c < dim; c++) {
      float query = Math.max(largest[c], largest[partners[c]]);
      float key = Math.max(largest[dim + c], largest[dim + partners[c]]);
      float factor = 1;
      if (query > SMALLEST && key > SMALLEST) {
        factor = (float) Math.sqrt(key / (double) query);
        LinearScaling.row(weight, bias, c, factor, dim);
        LinearScaling.row(weight, bias, dim + c, 1 / factor, dim);
      }
      top = Math.max(top, Math.max(query * factor, key / factor));
    }
    values(weight, bias, projection, largest, 2 * dim, top, dim);
  }

  /**
   * @param first row of the first channel of the values
   * @param top what the largest value of every channel becomes
   */
  private static void values(
      float[] weight,
      float[] bias,
      float[] projection,
      float[] largest,
      int first,
      float top,
      int dim) {
    for (int c = 0; c < dim; c++) {
      float value = largest[first + c];
      if (value > SMALLEST && top > SMALLEST) {
        float factor = top / value;
        LinearScaling.row(weight, bias, first + c, factor, dim);
        LinearScaling.column(projection, c, factor, dim);
      }
    }
  }
}
