package org.ivit.export.cli.option;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which classes pictures have, where their folders do not say. */
public final class LabelOptions {
  @Option(
      names = "--classes",
      paramLabel = "FILE",
      description =
          "The classes in order, one a line: a folder's name, or that, a tab and readable names.")
  public Path classes;

  @Option(
      names = "--labels",
      paramLabel = "FILE",
      description = "Labels of a flat folder: a picture and its class a line.")
  public Path labels;

  /** Refuses files that are not there before anything long starts. */
  public void validate() {
    Checks.file("--classes", classes);
    Checks.file("--labels", labels);
  }
}
