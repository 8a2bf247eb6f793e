package org.ivit.core.engine.jni;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;

/** The kernels that tests run; those of another processor are skipped with the reason. */
final class Providers {
  static final List<String> ALL = KernelSets.all();

  private Providers() {}

  /** Those that run here; the tests are skipped where there are none. */
  static List<String> here() {
    List<String> here =
        ALL.stream().filter(name -> NativeLibrary.unavailable(name) == null).toList();
    assumeTrue(!here.isEmpty(), () -> "native kernels: " + NativeLibrary.unavailable("c"));
    return here;
  }

  /** Skips the test where the kernels do not run. */
  static void require(String kernels) {
    String reason = NativeLibrary.unavailable(kernels);
    assumeTrue(reason == null, () -> kernels + ": " + reason);
  }
}
