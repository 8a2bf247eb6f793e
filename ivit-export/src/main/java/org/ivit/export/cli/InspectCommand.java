package org.ivit.export.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.tensor.TensorContents;
import org.ivit.core.tensor.TensorFiles;
import org.ivit.export.cli.option.Checks;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ivit inspect}: what is in a file. */
@Command(
    name = "inspect",
    footerHeading = "%nExample:%n  ivit inspect vit.ivit.safetensors%n",
    description =
        "Prints what an integer checkpoint holds, layer by layer, with the bits and the entropy of"
            + " its weights, or the tensors of a safetensors, PyTorch or NumPy file. --verbose"
            + " lists outlier channels.")
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "F",
      description = "An integer checkpoint, or a safetensors, PyTorch or NumPy file.")
  private Path file;

  @Override
  public Integer call() {
    Checks.file("inspect", file);
    Inspection inspection = new Inspection(spec.commandLine().getOut(), verbose());
    try (TensorContents contents = TensorFiles.contents(file)) {
      if (CheckpointFile.isCheckpoint(contents.metadata())) {
        inspection.checkpoint(file, contents.all(), CheckpointFile.read(file));
      } else {
        inspection.tensors(file, contents);
      }
    }
    return 0;
  }

  private boolean verbose() {
    return ((IvitCommand) spec.root().userObject()).verbose;
  }
}
