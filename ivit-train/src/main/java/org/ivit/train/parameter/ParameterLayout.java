package org.ivit.train.parameter;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.graph.FloatWeights;

/** Where each parameter of an operator lies in one vector of all its parameters. */
public final class ParameterLayout {
  /**
   * A parameter.
   *
   * @param key its name within the operator, such as {@code attn.qkv.weight}
   * @param kind what it is
   * @param shape its sizes, the last index running fastest
   * @param from index of its first number
   */
  public record Entry(String key, ParameterKind kind, List<Long> shape, int from) {
    /** How many numbers it has. */
    public int size() {
      return Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact));
    }

    /** Sizes as an array. */
    public long[] shapeArray() {
      return shape.stream().mapToLong(Long::longValue).toArray();
    }
  }

  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final Map<String, GridForm> grids = new LinkedHashMap<>();
  private int size;

  /** Adds a parameter at the end. */
  public ParameterLayout add(String key, ParameterKind kind, long... shape) {
    Entry entry = new Entry(key, kind, java.util.Arrays.stream(shape).boxed().toList(), size);
    if (entries.put(key, entry) != null) {
      throw new IllegalArgumentException("two parameters " + key);
    }
    size = Math.addExact(size, entry.size());
    return this;
  }

  /**
   * Adds, for each matrix so far, the points of its grid, {@code KEY_grid}, or where it has none
   * the place of frozen scales, {@code KEY_scale}.
   *
   * @param forms of grids by key of the matrix
   */
  ParameterLayout addWeightScales(Map<String, GridForm> forms) {
    for (Entry entry : entries()) {
      if (entry.kind().decays()) {
        long outputs = entry.shape().get(0);
        GridForm form = forms.get(entry.key());
        if (form == null) {
          add(FloatWeights.scaleName(entry.key()), ParameterKind.WEIGHT_SCALE, outputs);
        } else {
          grids.put(entry.key(), form);
          add(
              FloatWeights.gridName(entry.key()),
              form.learned() ? ParameterKind.WEIGHT_GRID : ParameterKind.FIXED_GRID,
              outputs,
              form.points(Math.toIntExact(entry.size() / outputs)));
        }
      }
    }
    return this;
  }

  /** The forms of grids by key of their matrices. */
  public Map<String, GridForm> grids() {
    return Collections.unmodifiableMap(grids);
  }

  /** All parameters in the order of their memory. */
  public List<Entry> entries() {
    return List.copyOf(entries.values());
  }

  /** The parameter of that key. */
  public Entry entry(String key) {
    Entry entry = entries.get(key);
    if (entry == null) {
      throw new IllegalArgumentException("no parameter " + key + " among " + entries.keySet());
    }
    return entry;
  }

  /** Whether there is such a parameter. */
  public boolean contains(String key) {
    return entries.containsKey(key);
  }

  /** Index of the first number of a parameter. */
  public int from(String key) {
    return entry(key).from();
  }

  /** How many numbers all parameters have. */
  public int size() {
    return size;
  }
}
