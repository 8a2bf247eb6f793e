package org.ivit.core.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ProcessorTest {
  @Test
  void readsTheModelNameOfLinux() {
    assertThat(
            Processor.model(
                List.of(
                    "processor\t: 0",
                    "model\t\t: 143",
                    "model name\t: Intel(R)  Xeon(R) Platinum 8481C CPU @ 2.70GHz",
                    "model name\t: another"),
                "x"))
        .isEqualTo("Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz");
    assertThat(Processor.model(List.of("processor\t: 0", "Model\t\t: Raspberry Pi 5"), "x"))
        .isEqualTo("Raspberry Pi 5");
  }

  @Test
  void otherwiseSaysTheArchitecture() {
    assertThat(Processor.model(List.of("CPU part\t: 0xd0c", "model name\t: "), "aarch64"))
        .isEqualTo("aarch64");
    assertThat(Processor.name()).isNotBlank();
  }
}
