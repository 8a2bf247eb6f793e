package org.ivit.export.cli;

import java.util.concurrent.Callable;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.EncodedDataset;
import org.ivit.core.dataset.PictureStore;
import org.ivit.core.dataset.PictureStores;
import org.ivit.export.cli.console.Progress;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.LabelOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit convert}: picture files as Parquet. */
@Command(
    name = "convert",
    footerHeading =
        "%nExample:%n  ivit convert --data imagenet/train --output imagenet/train.parquet%n",
    description =
        "Writes labelled picture files, byte for byte and in their order, as Parquet files. Needs"
            + " scripts/ivit-spark.")
final class ConvertCommand implements Callable<Integer> {
  private static final int MEGABYTE = 1 << 20;

  @Spec private CommandSpec spec;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description = "Pictures: all that evaluate takes but CIFAR-10's batches.")
  private String data;

  @Mixin private LabelOptions files;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "F",
      description =
          "What to write, here or on a file system of Hadoop's: one file if the name ends in"
              + " .parquet, else a folder of files. It must not exist.")
  private String output;

  @Option(
      names = "--part-size",
      paramLabel = "MB",
      defaultValue = "1024",
      description = "Size of a folder's files in MB (default: ${DEFAULT-VALUE}).")
  private int partSize;

  @Override
  public Integer call() {
    Checks.atLeast("--part-size", partSize, 1);
    files.validate();
    PictureStore store = PictureStores.require("convert");
    ClassList list = files.classes == null ? null : ClassList.read(files.classes);
    try (Dataset set = Datasets.open(data, list, files.labels)) {
      if (!(set instanceof EncodedDataset encoded)) {
        throw new InputException(
            "--data: " + data + ": found no picture files, expected JPEG and PNG files");
      }
      int files;
      try (Progress progress = Progress.start("convert", "pictures", set.size())) {
        files = store.write(encoded, output, (long) partSize * MEGABYTE, progress::step);
      }
      spec.commandLine()
          .getOut()
          .printf(
              "%s: %d pictures, %d classes, %d file%s%n",
              output, set.size(), set.classes(), files, files == 1 ? "" : "s");
    }
    return 0;
  }
}
