package org.ivit.core.engine.cuda;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.ImageDecoder;

/**
 * Decodes and crops pictures for {@link GpuCheck}, so that a GPU machine needs no decoder: {@code
 * GpuPictures CHECKPOINT FOLDER COUNT OUTPUT}.
 */
public final class GpuPictures {
  private GpuPictures() {}

  /** Writes the crops one after the other, u8 RGB. */
  public static void main(String[] arguments) throws IOException {
    EvaluationTransform transform =
        new EvaluationTransform(CheckpointFile.read(Path.of(arguments[0])).preprocess());
    List<Path> pictures;
    try (var files = Files.walk(Path.of(arguments[1]))) {
      pictures =
          files
              .filter(
                  f -> f.toString().toLowerCase(java.util.Locale.ROOT).matches(".*\\.(jpe?g|png)"))
              .sorted()
              .limit(Integer.parseInt(arguments[2]))
              .toList();
    }
    try (OutputStream out = Files.newOutputStream(Path.of(arguments[3]))) {
      for (Path picture : pictures) {
        out.write(transform.apply(ImageDecoder.decode(picture)).data());
      }
    }
  }
}
