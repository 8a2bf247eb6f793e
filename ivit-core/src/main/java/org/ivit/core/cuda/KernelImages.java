package org.ivit.core.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Properties;
import java.util.zip.GZIPInputStream;
import org.ivit.core.InputException;

/**
 * Compiled kernels in a jar, made by {@code scripts/build-cuda}: machine code for Hopper, PTX for
 * what is newer than Ampere or Turing, which the driver compiles.
 *
 * @param owner a class of the jar
 * @param folder absolute name of the resources' folder, such as {@code /cuda/}
 */
public record KernelImages(Class<?> owner, String folder) {
  /** Returns the version of the compiler that made them, which the driver must support. */
  public CudaVersion compiler() {
    return CudaVersion.parse(properties().getProperty("compiler"));
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
   * @param capability compute capability, 10·major + minor
   * @throws InputException if none runs there
   */
  static String name(String gpu, int capability) {
    if (capability < 75) {
      throw new InputException(
          "engine cuda: %s has compute capability %d.%d, expected 7.5 (Turing) or newer"
              .formatted(gpu, capability / 10, capability % 10));
    }
    return capability == 90
        ? "kernels_sm_90a.cubin.gz"
        : capability >= 80 ? "kernels_compute_80.ptx.gz" : "kernels_compute_75.ptx.gz";
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
