package org.ivit.core.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;

class KernelSetsTest {
  @Test
  void everyProcessorHasThePortableSetLast() {
    assertThat(KernelSets.all()).endsWith(KernelSets.PORTABLE).doesNotHaveDuplicates();
  }

  @Test
  void setsOfOneProcessorAreOrderedBySpeed() {
    assertThat(KernelSets.all())
        .containsSubsequence("amx", "vnni", "avx2")
        .containsSubsequence("i8mm", "dotprod", "neon");
  }

  @Test
  void fastSetsAreThoseOfThisProcessorFastestFirst() {
    assumeTrue(Platform.here().processor().equals("x86_64"), "not x86-64");
    assertThat(KernelSets.fast()).containsSubsequence("amx", "vnni", "avx2");
    assertThat(KernelSets.all()).containsSubsequence(KernelSets.fast());
    assertThat(KernelSets.fast()).doesNotContain(KernelSets.PORTABLE);
  }

  @Test
  void theLibraryHasWhatItsListNames() {
    assumeTrue(NativeLibrary.notLoaded() == null, NativeLibrary::notLoaded);
    for (String name : KernelSets.fast()) {
      String reason = NativeLibrary.unavailable(name);
      if (reason != null) {
        assertThat(reason).doesNotContain("kernel_sets");
      }
    }
    assertThat(NativeLibrary.unavailable(KernelSets.PORTABLE)).isNull();
  }
}
