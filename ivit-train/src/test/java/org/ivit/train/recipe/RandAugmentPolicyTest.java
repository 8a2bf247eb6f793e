package org.ivit.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RandAugmentPolicyTest {
  @Test
  void readsTheWordsOfTimm() {
    assertThat(RandAugmentPolicy.parse("rand"))
        .isEqualTo(new RandAugmentPolicy(10, 2, 0.5, 0, 10, false));
    assertThat(RandAugmentPolicy.parse("rand-m9-mstd0.5-inc1"))
        .isEqualTo(new RandAugmentPolicy(9, 2, 0.5, 0.5, 10, true));
    assertThat(RandAugmentPolicy.parse("rand-inc0-mmax20-n3-p0.25-mstd101-m15"))
        .isEqualTo(new RandAugmentPolicy(15, 3, 0.25, 101, 20, false));
    assertThat(RandAugmentPolicy.parse("rand-mstd101").uniform()).isTrue();
    assertThat(RandAugmentPolicy.parse("rand-mstd100").uniform()).isFalse();
  }

  @Test
  void writesWhatItReads() {
    for (String text : List.of("rand", "rand-m9-mstd0.5-inc1", "rand-m3-n1-p1-mstd1000-mmax30")) {
      RandAugmentPolicy policy = RandAugmentPolicy.parse(text);
      assertThat(RandAugmentPolicy.parse(policy.text())).isEqualTo(policy);
    }
    assertThat(RandAugmentPolicy.parse("rand-m9-mstd0.5-inc1").text())
        .isEqualTo("rand-m9-n2-p0.5-mstd0.5-mmax10-inc1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "augmix-m3 | \"augmix\" instead of \"rand\"",
        "rand- | \"\"",
        "rand-m | \"m\"",
        "rand-m9.5 | \"m9.5\", which is no integer",
        "rand-m9-m8 | \"m8\"",
        "rand-m101 | \"m101\", which is over 100",
        "rand-p1.5 | \"p1.5\", which is over 1",
        "rand-inc2 | \"inc2\", which is over 1",
        "rand-m-9 | \"m\"",
        "rand-w0 | \"w0\"",
        "RAND-m9 | \"RAND\" instead of \"rand\"",
        "rand-mstdinf | \"mstdinf\"",
      })
  void saysWhichWordItCannotRead(String text, String message) {
    assertThatThrownBy(() -> RandAugmentPolicy.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }
}
