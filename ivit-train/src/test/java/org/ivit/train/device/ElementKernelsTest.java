package org.ivit.train.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.cuda.Emulator;
import org.ivit.core.cuda.Launch;
import org.ivit.train.device.pass.Pass;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Kernels that move several elements at once leave what they leave where nothing is aligned, and
 * elements are moved one by one, in every bit: for whole vectors, tails, rows shorter and longer
 * than a grid. What the single elements are, steps beside the processor show.
 */
class ElementKernelsTest {
  private static final int THREADS = 256;

  /** Rows and columns, and blocks of the grid. */
  private record Shape(int rows, int columns, int blocks) {
    long count() {
      return (long) rows * columns;
    }
  }

  /** As many columns as threads take at once, fewer and more, and some that no vector divides. */
  private static final List<Shape> SHAPES =
      List.of(
          new Shape(5, 48, 1),
          new Shape(70, 64, 2),
          new Shape(3, 20, 3),
          new Shape(3, 18, 1),
          new Shape(1, 1, 1),
          new Shape(2, 4112, 1));

  /**
   * A kernel.
   *
   * @param shape of what it works on
   */
  private record Case(String kernel, Shape shape, int sharedBytes, Consumer<Arguments> arguments) {
    @Override
    public String toString() {
      return kernel + " " + shape;
    }
  }

  /** A kernel's structure, and memory that it points to, filled with numbers of its seed. */
  private static final class Arguments {
    private final EmulatedDevice device = new EmulatedDevice(1, 100_000);
    private final SplittableRandom random = new SplittableRandom(3);
    private final ByteBuffer bytes = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
    private final List<ByteBuffer> contents = new ArrayList<>();
    private final List<Long> addresses = new ArrayList<>();
    private final int moved;
    private int alignment = 1;

    /**
     * @param moved elements by which arrays lie beside an aligned address
     */
    Arguments(int moved) {
      this.moved = moved;
    }

    private void align(int to) {
      alignment = Math.max(alignment, to);
      bytes.position((bytes.position() + to - 1) / to * to);
    }

    private Arguments array(ByteBuffer content, int shift) {
      // Some memory where there is nothing, too.
      long address = device.allocate(content.capacity() + shift + 1) + shift;
      device.write(address, content.duplicate());
      contents.add(content);
      addresses.add(address);
      return int64(address);
    }

    private static ByteBuffer room(long count, int size) {
      return ByteBuffer.allocateDirect((int) count * size).order(ByteOrder.nativeOrder());
    }

    /** Codes of any value. */
    Arguments codes(long count, int size) {
      ByteBuffer content = room(count, size);
      while (content.hasRemaining()) {
        content.put((byte) random.nextInt());
      }
      return array(content.flip(), moved * size);
    }

    Arguments reals(long count) {
      ByteBuffer content = room(count, Float.BYTES);
      while (content.hasRemaining()) {
        content.putFloat((float) random.nextGaussian());
      }
      return array(content.flip(), moved * Float.BYTES);
    }

    /** Integers below a bound, which kernels never read several of at once. */
    Arguments indices(long count, int bound) {
      ByteBuffer content = room(count, Integer.BYTES);
      while (content.hasRemaining()) {
        content.putInt(random.nextInt(bound));
      }
      return array(content.flip(), 0);
    }

    /** 0 or 1. */
    Arguments flags(long count) {
      ByteBuffer content = room(count, 1);
      while (content.hasRemaining()) {
        content.put((byte) random.nextInt(2));
      }
      return array(content.flip(), 0);
    }

    Arguments ints(int... values) {
      ByteBuffer content = room(values.length, Integer.BYTES);
      content.asIntBuffer().put(values);
      return array(content, 0);
    }

    Arguments longs(long... values) {
      ByteBuffer content = room(values.length, Long.BYTES);
      content.asLongBuffer().put(values);
      return array(content, 0);
    }

    Arguments extremes() {
      return ints(Integer.MAX_VALUE, Integer.MIN_VALUE);
    }

    /** Of doubles. */
    Arguments orderedExtremes() {
      return longs(-1L, 0L);
    }

    Arguments none() {
      return int64(0);
    }

    Arguments int32(int value) {
      align(Integer.BYTES);
      bytes.putInt(value);
      return this;
    }

    Arguments int64(long value) {
      align(Long.BYTES);
      bytes.putLong(value);
      return this;
    }

    Arguments float32(float value) {
      return int32(Float.floatToRawIntBits(value));
    }

    Arguments float64(double value) {
      return int64(Double.doubleToRawLongBits(value));
    }

    Arguments divisor(int d) {
      Divisor divisor = Divisor.of(d);
      return int32(divisor.multiplier()).int32(divisor.shift());
    }

    Arguments dyadic(int multiplier, int shift) {
      return int32(multiplier).int32(shift);
    }

    List<byte[]> run(Case c) {
      align(alignment);
      byte[] structure = new byte[bytes.position()];
      bytes.flip().get(structure);
      device.launch(new Launch(c.kernel, c.shape.blocks, 1, 1, THREADS, c.sharedBytes, structure));
      List<byte[]> found = new ArrayList<>();
      for (int i = 0; i < contents.size(); i++) {
        ByteBuffer content = contents.get(i).duplicate();
        device.read(content, addresses.get(i));
        byte[] values = new byte[content.flip().remaining()];
        content.get(values);
        found.add(values);
      }
      return found;
    }
  }

  static Stream<Case> cases() {
    return SHAPES.stream()
        .flatMap(s -> Stream.of(flat(s), columns(s), pictures(s), gathered(s)))
        .flatMap(cases -> cases);
  }

  private static Stream<Case> flat(Shape s) {
    long n = s.count();
    return Stream.of(
        new Case("fill", s, 0, a -> a.reals(n).int64(n).int32(77).int32(0)),
        new Case(
            "adam",
            s,
            0,
            a -> {
              a.reals(n).reals(n).reals(n).array(squares(n), a.moved * Float.BYTES).reals(n);
              a.array(kinds(n), a.moved).int64(n);
              a.float32(3).float32(0.5f).float32(0.9f).float32(0.99f).float32(0.01f);
              a.float32(1e-8f).float32(0.02f).float32(0.98f);
            }),
        new Case("gelu_reals", s, 0, a -> a.reals(n).reals(n).none().int64(n)),
        new Case("gelu_reals_backward", s, 0, a -> a.reals(n).none().reals(n).int64(n)),
        new Case("gate_reals", s, 0, a -> a.reals(n).reals(n).reals(n).none().none().int64(n)),
        new Case(
            "gate_reals_backward",
            s,
            0,
            a -> a.reals(n).reals(n).none().reals(n).reals(n).int64(n)),
        new Case(
            "gate_backward",
            s,
            0,
            a -> {
              a.codes(n, 1).codes(n, 1).reals(n).reals(n).reals(256).reals(256);
              a.int64(n).float32(0.1f).int32(0);
            }),
        new Case("widen_codes_8", s, 0, a -> a.codes(n, 1).codes(n, 2).int64(n)),
        new Case("widen_codes_16", s, 0, a -> a.codes(n, 2).codes(n, 4).int64(n)),
        new Case("gather_words", s, 0, a -> a.codes(9, 4).indices(n, 9).codes(n, 4).int64(n)));
  }

  /** Of AdamW's second moments. */
  private static ByteBuffer squares(long count) {
    ByteBuffer content = Arguments.room(count, Float.BYTES);
    for (int i = 0; i < count; i++) {
      content.putFloat(0.001f * (i % 11));
    }
    return content.flip();
  }

  /** Parameters that move or not. */
  private static ByteBuffer kinds(long count) {
    ByteBuffer content = Arguments.room(count, 1);
    for (int i = 0; i < count; i++) {
      content.put((byte) (i % 5 % 3));
    }
    return content.flip();
  }

  private static Stream<Case> columns(Shape s) {
    int c = s.columns;
    long n = s.count();
    Consumer<Arguments> end = a -> a.int64(s.rows).divisor(c).int32(c).int32(0);
    return Stream.of(
        new Case("dequantize_rows", s, 0, a -> end.accept(a.codes(n, 1).reals(s.rows).reals(n))),
        new Case("codes_to_reals", s, 0, a -> end.accept(a.codes(n, 1).reals(c).reals(n))),
        new Case("codes_to_reals", s, 0, a -> end.accept(a.codes(n, 1).none().reals(n))),
        new Case("fill_rows", s, 0, a -> end.accept(a.reals(c).reals(n))),
        new Case("add_outer_product", s, 0, a -> end.accept(a.reals(s.rows).reals(c).reals(n))),
        new Case(
            "gelu_codes",
            s,
            2048,
            a -> {
              a.codes(n, 1).codes(n, 1).none().array(entries(), 0).none();
              end.accept(a.flags(c).extremes());
            }),
        new Case(
            "gelu_codes",
            s,
            2048,
            a ->
                end.accept(
                    a.codes(n, 1).codes(n, 1).none().array(entries(), 0).none().none().extremes())),
        new Case(
            "gelu_backward",
            s,
            0,
            a -> {
              a.codes(n, 1).none().reals(n).none().reals(512);
              end.accept(a.flags(c).none());
            }),
        gating("gate_observed_8", s, end),
        gating("gate_observed_16", s, end),
        norm("norm_observed_16_8", s, 1),
        norm("norm_observed_16_16", s, 2));
  }

  private static ByteBuffer entries() {
    ByteBuffer content = Arguments.room(512, Integer.BYTES);
    for (int i = 0; i < 512; i++) {
      int rank = i * 37 % 256;
      int ranks = i < 256 ? (rank << 8) | (rank << 16) : 255 << 8;
      content.putInt((i * 11 & 255) | ranks);
    }
    return content.flip();
  }

  private static Case gating(String kernel, Shape s, Consumer<Arguments> end) {
    boolean narrow = kernel.endsWith("8");
    long n = s.count();
    return new Case(
        kernel,
        s,
        Pass.EXTREMES_BYTES,
        a -> {
          a.codes(n, 1).codes(n, 1);
          if (narrow) {
            a.codes(n, 1).none();
          } else {
            a.none().codes(n, 2);
          }
          a.codes(256, 2).ints(products(s.columns)).flags(s.columns);
          end.accept(a.extremes());
        });
  }

  /** Dyadic multipliers. */
  private static int[] products(int count) {
    int[] words = new int[2 * count];
    for (int i = 0; i < count; i++) {
      words[2 * i] = 1_500_000_000 - 1_000_000 * (i % 100);
      words[2 * i + 1] = 42 + i % 3;
    }
    return words;
  }

  private static Case norm(String kernel, Shape s, int outBytes) {
    int c = s.columns;
    return new Case(
        kernel,
        s,
        256 + 8 * c,
        a -> {
          a.codes(s.count(), 2).codes(s.count(), outBytes);
          a.longs(new long[2 * s.rows]);
          a.indices(c, 1 << 20);
          long[] offsets = new long[c];
          for (int i = 0; i < c; i++) {
            offsets[i] = (long) (i % 7 - 3) << 40;
          }
          int[] least = new int[c];
          Arrays.fill(least, Integer.MAX_VALUE);
          int[] largest = new int[c];
          Arrays.fill(largest, Integer.MIN_VALUE);
          a.longs(offsets).ints(least).ints(largest);
          a.divisor(2 * c).int64(s.rows).int64(c).int64(1).int32(c).int32(43);
        });
  }

  /** Kernels whose rows are pictures. */
  private static Stream<Case> pictures(Shape s) {
    long n = s.count();
    int size = s.columns;
    int leading = size % 4 == 0 ? 4 : (size + 1) / 2;
    Consumer<Arguments> end = a -> a.int64(s.rows).divisor(size);
    return Stream.of(
        new Case(
            "add_branch",
            s,
            0,
            a -> {
              end.accept(a.reals(n).reals(n).reals(n).array(factors(s.rows), 0));
              a.int32(size).int32(0);
            }),
        new Case(
            "add_branch",
            s,
            0,
            a -> {
              end.accept(a.reals(n).reals(n).reals(n).none());
              a.int32(size).int32(0);
            }),
        new Case(
            "scale_pictures",
            s,
            0,
            a -> {
              end.accept(a.reals(n).reals(n).array(factors(s.rows), 0));
              a.divisor(1).int32(size).int32(0).float32(3).int32(leading);
            }),
        new Case(
            "scale_pictures",
            s,
            0,
            a -> {
              end.accept(a.reals(n).reals(n).none());
              a.divisor(1).int32(size).int32(0).float32(3).int32(0);
            }),
        new Case(
            "scale_pictures",
            s,
            0,
            a -> {
              a.reals(n).reals(3 * n).none().int64(s.rows).divisor(3 * size).divisor(size);
              a.int32(3 * size).int32(size).float32(3).int32(size);
            }),
        new Case(
            "embed_reals",
            s,
            0,
            a -> {
              a.reals((long) s.rows * (size - leading)).reals(leading).reals(size).reals(n);
              end.accept(a);
              a.int32(size).int32(leading).int32(leading / 2).int32(0);
            }),
        new Case(
            "embed_observed",
            s,
            Pass.EXTREMES_BYTES,
            a -> {
              a.codes((long) s.rows * (size - leading), 2).indices(leading, 1 << 16);
              a.codes(size, 2).codes(n, 2).orderedExtremes();
              a.dyadic(1_500_000_000, 31).dyadic(1_100_000_000, 33).float64(0.01).float64(0.3);
              end.accept(a);
              a.int32(size).int32(leading);
            }),
        new Case(
            "residual_observed",
            s,
            Pass.EXTREMES_BYTES,
            a -> {
              a.codes(n, 2).codes(n, 2).codes(n, 2).array(factors(s.rows), 0).orderedExtremes();
              a.dyadic(1_500_000_000, 31).dyadic(1_100_000_000, 33).float64(0.01).float64(0.3);
              end.accept(a);
              a.int32(size).int32(0);
            }),
        pool("pool_observed_8", s, 1, 1),
        pool("pool_observed_16", s, 2, 2),
        pool("pool_sums", s, 1, 4));
  }

  /** Some 0. */
  private static ByteBuffer factors(int count) {
    ByteBuffer content = Arguments.room(count, Float.BYTES);
    for (int i = 0; i < count; i++) {
      content.putFloat(i % 3 == 1 ? 0 : 1.25f);
    }
    return content.flip();
  }

  private static Case pool(String kernel, Shape s, int bytes, int outBytes) {
    int tokens = 7;
    return new Case(
        kernel,
        s,
        Pass.EXTREMES_BYTES,
        a -> {
          a.codes(tokens * s.count(), bytes).codes(s.count(), outBytes).orderedExtremes();
          a.dyadic(1_500_000_000, 34).divisor(s.columns);
          a.int32(s.rows).int32(tokens).int32(1).int32(s.columns);
        });
  }

  /** Kernels that read elements from elsewhere, or rows by warps. */
  private static Stream<Case> gathered(Shape s) {
    int c = s.columns;
    long n = s.count();
    Stream.Builder<Case> cases = Stream.builder();
    for (int bytes : new int[] {1, 2, 4}) {
      cases.add(
          new Case(
              "gather_rows_" + 8 * bytes,
              s,
              0,
              a -> {
                a.codes(n, bytes).codes(n, bytes).ints(reversed(s.rows)).int64(s.rows);
                a.divisor(c).divisor(s.rows);
                a.int32(s.rows).int32(s.rows).int32(s.rows).int32(0).int32(c).int32(bytes % 2);
              }));
    }
    cases.add(
        new Case(
            "order_channels",
            s,
            0,
            a -> {
              a.codes(s.rows * 9L, 1).codes(n, 1).indices(c, 9).divisor(c);
              a.int64(s.rows / 2).int64(s.rows).int32(9).int32(c);
            }));
    if (s.rows <= 8 * s.blocks) {
      Consumer<Arguments> end =
          a -> a.int64(s.rows).int64(1L << 20).int32(c).int32(1_500_000).int32(21).int32(0);
      cases.add(
          new Case(
              "gelu_row_observed",
              s,
              Pass.EXTREMES_BYTES,
              a -> {
                a.codes(n, 1).codes(n, 1).none().codes(1 << 16, 2).extremes().float64(0.1);
                end.accept(a);
              }));
      cases.add(
          new Case(
              "gelu_row_backward",
              s,
              0,
              a -> {
                a.codes(n, 1).none().reals(n).codes(1 << 16, 2).none().float64(0.1);
                end.accept(a);
              }));
      cases.add(
          new Case(
              "norm_backward",
              s,
              0,
              a -> {
                a.codes(n, 2).ints(statistics(s.rows)).reals(n).reals(n).reals(c).none().none();
                a.float64(Math.sqrt(c)).float64(0.01).int64(s.rows).int64(c).int32(c).int32(0);
              }));
      cases.add(
          new Case(
              "norm_reals",
              s,
              0,
              a -> {
                a.reals(n).reals(n).longs(new long[2 * s.rows]).reals(c).reals(c);
                a.none().none().none().none().float64(1e-6).int64(s.rows).int64(c).int32(c);
                a.int32(0);
              }));
      cases.add(
          new Case(
              "norm_reals_backward",
              s,
              0,
              a -> {
                a.reals(n).none().longs(realStatistics(s.rows)).reals(c).none();
                a.reals(n).reals(n).none().none().float64(1e-6).int64(s.rows).int64(c).int32(c);
                a.int32(0);
              }));
    }
    cases.add(weights(s));
    if (c % 4 == 0) {
      cases.add(rotation(s));
      cases.add(patches("patches_observed", s));
      cases.add(patches("unfold_reals", s));
    }
    return cases.build();
  }

  private static int[] reversed(int count) {
    return IntStream.range(0, count).map(i -> count - 1 - i).toArray();
  }

  /** Means and factors of rows. */
  private static long[] realStatistics(int rows) {
    return LongStream.range(0, 2L * rows).map(i -> Double.doubleToRawLongBits(0.1 + i)).toArray();
  }

  /** Means, factors and roots of rows. */
  private static int[] statistics(int rows) {
    return IntStream.range(0, 4 * rows).map(i -> 3 + 1000 * (i % 4)).toArray();
  }

  /** As many output channels as warps of the grid at most, each a row. */
  private static Case weights(Shape s) {
    int outputs = Math.min(s.rows, 8 * s.blocks);
    return new Case(
        "quantize_channels",
        s,
        0,
        a -> {
          a.reals(s.count()).none().none().flags(s.columns).codes(s.count(), 1);
          a.ints(new int[8 * outputs]);
          a.none().none().divisor(1).int32(0).int32(0).int32(0).int32(0);
          a.int32(outputs).int32(s.columns).float32(0.1f).int32(0);
        });
  }

  /** Heads of as many channels, rows of 4 tokens. */
  private static Case rotation(Shape s) {
    int c = s.columns;
    return new Case(
        "rotate_observed",
        s,
        Pass.EXTREMES_BYTES,
        a -> {
          a.codes(6 * s.count(), 2).codes(6 * s.count(), 1).codes(4L * c, 4).indices(c, c);
          a.extremes().dyadic(1_500_000_000, 49).divisor(6 * c).divisor(4).divisor(c);
          a.int64(s.rows).int32(4).int32(2).int32(c).int32(0);
        });
  }

  /** Pictures of 8 by as many pixels, patches of 4. */
  private static Case patches(String kernel, Shape s) {
    int area = 8 * s.columns;
    return new Case(
        kernel,
        s,
        Pass.EXTREMES_BYTES,
        a -> {
          a.reals(3L * area);
          if (kernel.equals("unfold_reals")) {
            a.reals(3L * area);
          } else {
            a.codes(3L * area, 1).orderedExtremes();
          }
          a.int64(3).divisor(area).divisor(s.columns).divisor(4).int32(8).int32(s.columns);
          a.int32(4).int32(0);
          if (!kernel.equals("unfold_reals")) {
            a.float32(40).int32(0);
          }
        });
  }

  /**
   * What share_of of {@code walk.cuh} says of a thread's number and of how many threads there are.
   */
  @Test
  void quotientsByGroupsAreThoseByColumns() {
    Emulator emulator = new EmulatedDevice(1, 0).emulator();
    SplittableRandom random = new SplittableRandom(9);
    for (int i = 0; i < 20_000; i++) {
      int together = 1 << random.nextInt(5);
      int groups = 1 + (random.nextInt((1 << 30) / together) >> random.nextInt(26));
      Divisor divisor = Divisor.of(groups * together);
      int most = (1 << 27) - 1;
      int[] numbers = {
        0, groups - 1, groups, random.nextInt(1 << 27), most, most / groups * groups
      };
      for (int number : numbers) {
        if (number <= most) {
          int found =
              emulator.emulator_divide(number * together, divisor.multiplier(), divisor.shift());
          assertThat(found).as("%d / %d", number, groups).isEqualTo(number / groups);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void severalAtOnceAreAsOneByOne(Case c) {
    Arguments single = new Arguments(1);
    Arguments several = new Arguments(0);
    c.arguments.accept(single);
    c.arguments.accept(several);
    List<byte[]> before =
        several.contents.stream()
            .map(
                content -> {
                  byte[] values = new byte[content.capacity()];
                  content.duplicate().position(0).get(values);
                  return values;
                })
            .toList();
    List<byte[]> expected = single.run(c);
    List<byte[]> found = several.run(c);
    assertThat(found).hasSameSizeAs(expected);
    boolean changed = false;
    for (int i = 0; i < found.size(); i++) {
      assertThat(found.get(i)).as("array %d", i).isEqualTo(expected.get(i));
      changed |= !Arrays.equals(before.get(i), expected.get(i));
    }
    assertThat(changed).isTrue();
  }
}
