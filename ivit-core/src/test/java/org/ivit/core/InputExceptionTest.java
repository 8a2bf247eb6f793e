package org.ivit.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class InputExceptionTest {
  @Test
  void keepsMessageAndCause() {
    Throwable cause = new IllegalStateException("inner");
    assertThat(new InputException("outer", cause)).hasMessage("outer").hasCause(cause);
  }
}
