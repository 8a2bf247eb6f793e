package org.ivit.core.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.zip.GZIPInputStream;
import org.ivit.core.InputException;

/**
 * Compiled kernels in a jar, made by {@code scripts/build-cuda}: machine code for usual compute
 * capabilities, which a driver reads that is as new as the compiler, and PTX of an older version,
 * which the driver compiles.
 *
 * @param owner a class of the jar
 * @param folder absolute name of the resources' folder, such as {@code /cuda/}
 */
public record KernelImages(Class<?> owner, String folder) {
  private static final List<Integer> MACHINE_CODE = List.of(75, 80, 86, 89);
  private static final int HOPPER = 90;

  /** Returns the version of the compiler that made them, which machine code needs. */
  public CudaVersion compiler() {
    return CudaVersion.parse(properties().getProperty("compiler"));
  }

  /** Returns the least version that the driver must support, which is that of the PTX. */
  public CudaVersion needed() {
    return CudaVersion.parse(properties().getProperty("driver"));
  }

  /** Returns what the build wrote down. */
  public Properties properties() {
    Properties properties = new Properties();
    try (InputStream in = open("kernels.properties")) {
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return properties;
  }

  /**
   * Names the image for a GPU.
   *
   * @param gpu for messages
   * @param capability compute capability, 10·major + minor
   * @param machineCode whether the driver reads machine code of this compiler
   * @throws InputException if none runs there
   */
  static String name(String gpu, int capability, boolean machineCode) {
    if (capability < 75) {
      throw new InputException(
          "engine cuda: %s has compute capability %d.%d, expected 7.5 (Turing) or newer"
              .formatted(gpu, capability / 10, capability % 10));
    }
    if (machineCode && capability == HOPPER) {
      return "kernels_sm_90a.cubin.gz";
    }
    if (machineCode && MACHINE_CODE.contains(capability)) {
      return "kernels_sm_%d.cubin.gz".formatted(capability);
    }
    return capability >= 80 ? "kernels_compute_80.ptx.gz" : "kernels_compute_75.ptx.gz";
  }

  /** Returns an image as the driver takes it; PTX ends in a zero. */
  public byte[] read(String name) {
    try (InputStream in = new GZIPInputStream(open(name))) {
      byte[] bytes = in.readAllBytes();
      return Arrays.copyOf(bytes, bytes.length + 1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private InputStream open(String name) throws IOException {
    InputStream in = owner.getResourceAsStream(folder + name);
    if (in == null) {
      throw new IOException("no " + folder + name + " in this jar");
    }
    return in;
  }
}
