package org.ivit.train.nd4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.common.config.ND4JClassLoading;
import org.nd4j.linalg.factory.Nd4jBackend;

class NdBackendTest {
  @Test
  void oneBackendIsThereAndStarts() {
    assertThat(ND4JClassLoading.loadService(Nd4jBackend.class)).hasSize(1);
    assertThatCode(NdBackend::require).doesNotThrowAnyException();
  }

  @Test
  void saysWhichLibraryIsMissing() {
    Error missing = new UnsatisfiedLinkError("libcudart.so.11.0: cannot open shared object file");
    assertThatThrownBy(
            () ->
                NdBackend.start(
                    () -> {
                      throw new ExceptionInInitializerError(new IllegalStateException(missing));
                    }))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "ND4J's CUDA backend does not start: libcudart.so.11.0: cannot open shared object"
                + " file; it needs an NVIDIA GPU of compute capability 3.7 to 8.x, its driver, and"
                + " the libraries of CUDA 11.6 (docs/nd4j-cuda.md)");
  }

  @Test
  void namesAnErrorWithoutAMessage() {
    assertThatThrownBy(
            () ->
                NdBackend.start(
                    () -> {
                      throw new IllegalStateException();
                    }))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(
            "ND4J's CUDA backend does not start: java.lang.IllegalStateException; it needs");
  }

  /** The binding of CUDA's runtime, of a machine with a GPU that ND4J takes and another one. */
  public static final class CudaRuntime {
    private static int major;
    private static int minor;

    private CudaRuntime() {}

    @SuppressWarnings("unused")
    public static int cudaGetDeviceCount(int[] count) {
      count[0] = 2;
      return 0;
    }

    @SuppressWarnings("unused")
    public static int cudaDeviceGetAttribute(int[] value, int attribute, int gpu) {
      int asked = attribute == 75 ? major : minor;
      int ampere = attribute == 75 ? 8 : 0;
      value[0] = gpu == 0 ? ampere : asked;
      return 0;
    }
  }

  @ParameterizedTest
  @CsvSource({"3,7", "5,0", "7,5", "8,0", "8,6", "8,9"})
  void takesWhatItsMachineCodeRunsOn(int major, int minor) {
    CudaRuntime.major = major;
    CudaRuntime.minor = minor;
    assertThatCode(() -> NdBackend.start(() -> NdBackend.requireCode(CudaRuntime.class)))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({"3,0", "3,5", "9,0", "10,0", "12,0"})
  void refusesOtherGpus(int major, int minor) {
    CudaRuntime.major = major;
    CudaRuntime.minor = minor;
    assertThatThrownBy(() -> NdBackend.start(() -> NdBackend.requireCode(CudaRuntime.class)))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(
            "ND4J's CUDA backend has no machine code for GPU 1 of compute capability %d.%d; it needs"
                .formatted(major, minor));
  }
}
