package org.ivit.core.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.TensorFile;
import org.junit.jupiter.api.Assumptions;

/**
 * The folder of real weights, pictures and golden tensors, {@code ../shared} or the property {@code
 * ivit.shared}. It is not part of the repository: a test that asks for a file which is not there is
 * skipped with a message.
 */
public final class Shared {
  private Shared() {}

  /**
   * Finds a file or folder.
   *
   * @param relative for example {@code golden/ops/dyadic.safetensors}
   * @return an existing file or folder; otherwise the test is skipped
   */
  public static Path path(String relative) {
    Path path = Path.of(System.getProperty("ivit.shared", "../../shared")).resolve(relative);
    Assumptions.assumeTrue(
        Files.exists(path), () -> "skipped: no " + relative + " in the shared folder");
    return path.normalize();
  }

  /**
   * Reads a safetensors file.
   *
   * @param relative for example {@code golden/ops/dyadic.safetensors}
   * @return the tensors of an existing file; otherwise the test is skipped
   */
  public static TensorFile tensors(String relative) {
    return Safetensors.read(path(relative));
  }
}
