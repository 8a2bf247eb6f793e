package org.ivit.core.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.cuda.Structure.Place;
import org.junit.jupiter.api.Test;

/** A structure is filled by name, each field once. */
class StructureTest {
  private static final class Inner extends Structure {
    final Field<Integer> first = int32();
    final Field<Long> second = int64();
  }

  private static final class Outer extends Structure {
    final Field<Float> aReal = float32();
    final Field<Dyadic> dyadic = dyadic();
    final Field<Inner> inner = structure(new Inner());
    final Field<Integer> unused = unused();
  }

  private final Outer outer = new Outer();

  @Test
  void liesAsInC() {
    assertThat(outer.cppName()).isEqualTo("Outer");
    assertThat(outer.size()).isEqualTo(40);
    assertThat(outer.places())
        .containsExactly(
            new Place("a_real", 0, 4, "floating_point"),
            new Place("dyadic", 4, 8, "Dyadic"),
            new Place("inner", 16, 16, "Inner"),
            new Place("unused", 32, 4, "integral"));
    fill();
    ByteBuffer bytes = ByteBuffer.allocate(40).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putFloat(0, 0.5f).putInt(4, 3).putInt(8, 7).putInt(16, -1).putLong(24, Long.MIN_VALUE);
    assertThat(outer.bytes()).isEqualTo(bytes.array());
  }

  @Test
  void refusesAFieldThatIsNotSet() {
    outer.aReal.set(0f);
    assertThatIllegalStateException()
        .isThrownBy(outer::bytes)
        .withMessage("Outer.dyadic is not set");
  }

  @Test
  void refusesAFieldThatIsSetTwice() {
    fill();
    assertThatIllegalStateException()
        .isThrownBy(() -> outer.aReal.set(0.5f))
        .withMessage("Outer.a_real is set twice");
  }

  private void fill() {
    Inner inner = new Inner();
    inner.second.set(Long.MIN_VALUE);
    inner.first.set(-1);
    outer.inner.set(inner);
    outer.dyadic.set(new Dyadic(3, 7));
    outer.aReal.set(0.5f);
  }
}
