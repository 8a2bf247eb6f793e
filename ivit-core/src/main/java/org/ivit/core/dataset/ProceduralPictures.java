package org.ivit.core.dataset;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.ivit.core.InputException;
import org.ivit.core.image.Rgb;

/**
 * Pictures drawn from a seed, for a first run without any data: ten kinds of textured, stretched,
 * rotated, partly hidden shapes on noisy backgrounds. Colours and textures say nothing about the
 * kind, and a shape may be lighter or darker than what is behind it, so that a linear model does
 * poorly. Each picture depends on the seed and its number alone: the same whatever is drawn before
 * it, and in every thread. Releases of Java smooth edges differently, by a few of 255 in one byte
 * of a thousand.
 */
public final class ProceduralPictures implements Dataset {
  private static final List<ShapeKind> KINDS = List.of(ShapeKind.values());

  private static final List<String> CLASSES = KINDS.stream().map(ShapeKind::key).toList();

  /**
   * How hard the pictures are.
   *
   * @param noise standard deviation of the pixel noise, of 255
   * @param hidden width of the band laid over the shape, as part of its radius, 0 for none
   * @param clutter number of strokes in the background
   * @param contrast how much lighter the shape is than the background at least, of 255
   * @param dark share of shapes that are darker than the background instead
   * @param rotation largest angle in degrees to either side, up to 180
   * @param shift how far from the centre a shape may lie, as part of the room that it leaves
   */
  public record Strengths(
      double noise,
      double hidden,
      int clutter,
      double contrast,
      double dark,
      double rotation,
      double shift) {
    /** What the quickstart uses. */
    public static final Strengths DEFAULT = new Strengths(10, 0.2, 3, 80, 0.35, 30, 0.4);

    /** Checks the ranges. */
    public Strengths {
      in("noise", noise, 128);
      in("hidden", hidden, 1);
      in("clutter", clutter, 100);
      in("contrast", contrast, 180);
      in("dark", dark, 1);
      in("rotation", rotation, 180);
      in("shift", shift, 1);
    }

    private static void in(String key, double value, double largest) {
      if (!(value >= 0 && value <= largest)) {
        throw new InputException(
            "procedural pictures: found " + key + " " + value + ", expected 0 to " + largest);
      }
    }
  }

  private final long seed;
  private final int first;
  private final int count;
  private final ShapePainter painter;

  /**
   * Pictures number {@code first} to {@code first + count − 1} of a seed; numbers apart give unseen
   * pictures.
   *
   * @param size side in pixels, at least 8
   * @throws InputException if a number is out of its range
   */
  public ProceduralPictures(long seed, int first, int count, int size, Strengths strengths) {
    if (first < 0 || count < 1 || first > Integer.MAX_VALUE - count) {
      throw new InputException(
          "procedural pictures: found %s from number %s, expected at least 1 from 0 on"
              .formatted(count, first));
    }
    if (size < 8 || size > 4096) {
      throw new InputException(
          "procedural pictures: found a size of " + size + ", expected 8 to 4096");
    }
    this.seed = seed;
    this.first = first;
    this.count = count;
    this.painter = new ShapePainter(size, strengths);
  }

  @Override
  public int size() {
    return count;
  }

  @Override
  public List<String> classNames() {
    return CLASSES;
  }

  @Override
  public String name(int i) {
    return String.format(Locale.ROOT, "%08d-%s", number(i), CLASSES.get(label(i)));
  }

  /** Kinds follow one another, so that every ten pictures hold each once. */
  @Override
  public int label(int i) {
    return number(i) % CLASSES.size();
  }

  @Override
  public Rgb picture(int i) {
    return painter.paint(KINDS.get(label(i)), seed, number(i));
  }

  private int number(int i) {
    return first + Objects.checkIndex(i, count);
  }
}
