package org.ivit.core.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import org.ivit.core.image.Preprocess;
import org.junit.jupiter.api.Test;

class PretrainedPreprocessTest {
  @Test
  void everyRegisteredModelHasItsOwn() {
    for (String name : Architectures.names()) {
      Architecture architecture = Architectures.byName(name);
      Preprocess expected =
          name.startsWith("vit_") ? Preprocess.half(248, 224) : Preprocess.imagenet(248, 224);
      assertThat(PretrainedPreprocess.of(architecture)).contains(expected);
      assertThat(PretrainedPreprocess.of(architecture.withClasses(10))).contains(expected);
    }
  }

  @Test
  void inlineArchitecturesHaveNone() {
    assertThat(PretrainedPreprocess.of(new Vit("mine", 32, 8, 32, 2, 2, 128, 10, 1e-6))).isEmpty();
    Vit other = new Vit("vit_tiny_patch16_224", 32, 8, 32, 2, 2, 128, 10, 1e-6);
    assertThat(PretrainedPreprocess.of(other)).isEmpty();
  }
}
