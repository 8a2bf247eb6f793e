package org.ivit.export.cli;

import java.nio.file.Path;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.dataset.Dataset;
import org.ivit.export.cli.console.Progress;
import org.ivit.export.cli.console.WrittenFile;
import org.ivit.export.freeze.Freezer;
import org.ivit.export.freeze.Frozen;
import org.ivit.export.freeze.IdentityCheck;
import org.ivit.train.loading.RecipePictures;
import org.ivit.train.recipe.Pictures;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;

/** What {@code ivit export} does; apart from it, so that other commands load no Deeplearning4j. */
final class Exporting {
  private Exporting() {}

  /** Freezes, verifies, writes, and says what came of it. */
  static String export(Path path, Path output, int verify, String moment, String weights) {
    RunDirectory run = RunDirectory.open(path);
    Frozen frozen =
        Freezer.freeze(
            run,
            Freezer.Moment.valueOf(moment),
            Freezer.Weights.valueOf(weights),
            IvitCommand.Version.version());
    String verified = "";
    if (verify > 0) {
      IdentityCheck check = verify(run, frozen, verify);
      check.require();
      verified =
          ", logits of %s pictures identical to the training network's (%s)"
              .formatted(check.pictures(), String.join(", ", check.engines()));
    }
    String digest = CheckpointFile.write(output, frozen.checkpoint());
    return WrittenFile.checkpoint(output, verified, digest, run.architecture().answer());
  }

  private static IdentityCheck verify(RunDirectory run, Frozen frozen, int count) {
    Recipe recipe = run.recipe();
    Pictures pictures = recipe.data().validation();
    if (pictures == null) {
      pictures = recipe.data().train();
    }
    if (pictures == null) {
      pictures = recipe.quantization().calibration().data();
    }
    if (pictures == null) {
      throw new InputException(
          run.path() + ": its recipe names no pictures to verify with, expected --verify 0");
    }
    try (Dataset set = RecipePictures.open(pictures, recipe, run.architecture());
        Progress progress = Progress.start("verify", "pictures", Math.min(count, set.size()))) {
      return IdentityCheck.run(
          frozen, frozen.checkpoint(), set, count, List.of("cpu"), progress::step);
    }
  }
}
