package org.ivit.train.operator.floating;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.Silu;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SigmoidGateTest {
  private static final int SIZE = 4001;

  private static Reals inputs() {
    Reals x = Reals.allocate(RealType.FLOAT64, SIZE);
    for (int i = 0; i < SIZE; i++) {
      x.put(i, (i - SIZE / 2) * 0.01);
    }
    x.put(0, -1e4);
    x.put(1, 1e4);
    return x;
  }

  @ParameterizedTest
  @EnumSource(names = "GELU", mode = EnumSource.Mode.EXCLUDE)
  void isTheActivationFunction(Activation function) {
    Reals x = inputs();
    Reals y = Reals.allocate(RealType.FLOAT64, SIZE);
    SigmoidGate.of(function).forward(x, y, SIZE, new Buffers(RealType.FLOAT64));
    for (int i = 0; i < SIZE; i++) {
      double expected = function.value(x.get(i));
      assertThat(y.get(i)).isCloseTo(expected, within(1e-14 * Math.max(1, Math.abs(expected))));
    }
  }

  @Test
  void isSilu() {
    Reals x = inputs();
    Reals y = Reals.allocate(RealType.FLOAT64, SIZE);
    Reals g = Reals.allocate(RealType.FLOAT64, SIZE);
    for (int i = 0; i < SIZE; i++) {
      g.put(i, 1 + i % 5);
    }
    SigmoidGate.SILU.forward(x, y, SIZE, new Buffers(RealType.FLOAT64));
    SigmoidGate.SILU.backward(x, g, SIZE, new Buffers(RealType.FLOAT64));
    for (int i = 0; i < SIZE; i++) {
      double expected = Silu.value(x.get(i));
      assertThat(y.get(i)).isCloseTo(expected, within(1e-14 * Math.max(1, Math.abs(expected))));
      double slope = (1 + i % 5) * Silu.derivative(x.get(i));
      assertThat(g.get(i)).isCloseTo(slope, within(1e-12));
    }
  }

  @ParameterizedTest
  @EnumSource(names = "GELU", mode = EnumSource.Mode.EXCLUDE)
  void multipliesByItsDerivative(Activation function) {
    Reals x = inputs();
    Reals g = Reals.allocate(RealType.FLOAT64, SIZE);
    for (int i = 0; i < SIZE; i++) {
      g.put(i, 1 + i % 5);
    }
    SigmoidGate.of(function).backward(x, g, SIZE, new Buffers(RealType.FLOAT64));
    for (int i = 0; i < SIZE; i++) {
      double expected = (1 + i % 5) * function.derivative(x.get(i));
      assertThat(g.get(i)).isCloseTo(expected, within(1e-12));
    }
  }
}
