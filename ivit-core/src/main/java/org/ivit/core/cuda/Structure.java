package org.ivit.core.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.ivit.core.arithmetic.Dyadic;

/**
 * A structure in C++ that a kernel takes, filled by name. A subclass has the structure's name
 * ({@code Fields} after it, where Java has a value of that name) and declares its fields in the
 * structure's order; their offsets follow as C has them.
 */
public abstract class Structure {
  private final List<Field<?>> fields = new ArrayList<>();
  private int end;
  private int alignment = 1;

  /**
   * A field, which is set once.
   *
   * @param <T> its value
   */
  public final class Field<T> {
    private final String type;
    private final int offset;
    private final int size;
    private final BiConsumer<ByteBuffer, T> writer;
    private T value;

    private Field(String type, int offset, int size, BiConsumer<ByteBuffer, T> writer) {
      this.type = type;
      this.offset = offset;
      this.size = size;
      this.writer = writer;
    }

    /**
     * Sets it.
     *
     * @throws IllegalStateException if it is set already
     */
    public void set(T value) {
      if (this.value != null) {
        throw new IllegalStateException(this + " is set twice");
      }
      this.value = Objects.requireNonNull(value);
    }

    private void write(ByteBuffer to) {
      if (value == null) {
        throw new IllegalStateException(this + " is not set");
      }
      writer.accept(to.position(offset), value);
    }

    @Override
    public String toString() {
      return cppName() + "." + nameOf(this);
    }
  }

  /**
   * Where a field lies.
   *
   * @param name in C++
   * @param offset bytes from the structure's begin
   * @param size bytes
   * @param type {@code address}, {@code integral}, {@code floating_point} or a structure's name
   */
  public record Place(String name, int offset, int size, String type) {}

  /** An address, or 0 for none. */
  protected final Field<Long> address() {
    return field("address", 8, 8, ByteBuffer::putLong);
  }

  /** An integer of 32 bits. */
  protected final Field<Integer> int32() {
    return field("integral", 4, 4, ByteBuffer::putInt);
  }

  /** An integer of 64 bits. */
  protected final Field<Long> int64() {
    return field("integral", 8, 8, ByteBuffer::putLong);
  }

  /** A number of 32 bits. */
  protected final Field<Float> float32() {
    return field("floating_point", 4, 4, ByteBuffer::putFloat);
  }

  /** So many numbers of 32 bits. */
  protected final Field<float[]> float32s(int count) {
    return field(
        "floating_point", 4 * count, 4, (to, values) -> to.asFloatBuffer().put(values, 0, count));
  }

  /** A number of 64 bits. */
  protected final Field<Double> float64() {
    return field("floating_point", 8, 8, ByteBuffer::putDouble);
  }

  /** A dyadic multiplier. */
  protected final Field<Dyadic> dyadic() {
    return structure(new DyadicFields(), DyadicFields::of);
  }

  /** A divisor. */
  protected final Field<Divisor> divisor() {
    return structure(new DivisorFields(), DivisorFields::of);
  }

  /** A matrix as {@link Device#encode} gives it. */
  protected final Field<byte[]> tensorMap() {
    return field("TensorMap", BoxedMatrix.ENCODED_BYTES, 64, (to, encoded) -> to.put(encoded));
  }

  /** Another structure. */
  protected final <S extends Structure> Field<S> structure(S layout) {
    return structure(layout, structure -> structure);
  }

  /** Another structure of a value. */
  protected final <T> Field<T> structure(Structure layout, Function<T, Structure> of) {
    return field(
        layout.cppName(),
        layout.size(),
        layout.alignment,
        (to, value) -> to.put(of.apply(value).bytes()));
  }

  /** An integer of 32 bits that nobody reads. */
  protected final Field<Integer> unused() {
    Field<Integer> unused = int32();
    unused.set(0);
    return unused;
  }

  private <T> Field<T> field(String type, int size, int to, BiConsumer<ByteBuffer, T> writer) {
    Field<T> field = new Field<>(type, roundUp(end, to), size, writer);
    fields.add(field);
    end = field.offset + size;
    alignment = Math.max(alignment, to);
    return field;
  }

  private static int roundUp(int n, int to) {
    return (n + to - 1) / to * to;
  }

  /** Returns its size in bytes. */
  public final int size() {
    return roundUp(end, alignment);
  }

  /**
   * Returns its bytes.
   *
   * @throws IllegalStateException if a field is not set
   */
  public final byte[] bytes() {
    ByteBuffer bytes = ByteBuffer.allocate(size()).order(ByteOrder.LITTLE_ENDIAN);
    fields.forEach(field -> field.write(bytes));
    return bytes.array();
  }

  /** Returns the structure's name in C++. */
  public final String cppName() {
    return getClass().getSimpleName().replaceFirst("Fields$", "");
  }

  /** Returns where the fields lie, in order. */
  public final List<Place> places() {
    return fields.stream()
        .map(field -> new Place(nameOf(field), field.offset, field.size, field.type))
        .toList();
  }

  private String nameOf(Field<?> field) {
    try {
      for (java.lang.reflect.Field declared : getClass().getDeclaredFields()) {
        declared.setAccessible(true);
        if (declared.get(this) == field) {
          return declared.getName().replaceAll("[A-Z]", "_$0").toLowerCase(Locale.ROOT);
        }
      }
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
    throw new IllegalStateException("a field of " + cppName() + " has no name");
  }

  private static final class DyadicFields extends Structure {
    private final Field<Integer> multiplier = int32();
    private final Field<Integer> shift = int32();

    static DyadicFields of(Dyadic dyadic) {
      DyadicFields fields = new DyadicFields();
      fields.multiplier.set(dyadic.multiplier());
      fields.shift.set(dyadic.shift());
      return fields;
    }
  }

  private static final class DivisorFields extends Structure {
    private final Field<Integer> multiplier = int32();
    private final Field<Integer> shift = int32();

    static DivisorFields of(Divisor divisor) {
      DivisorFields fields = new DivisorFields();
      fields.multiplier.set(divisor.multiplier());
      fields.shift.set(divisor.shift());
      return fields;
    }
  }
}
