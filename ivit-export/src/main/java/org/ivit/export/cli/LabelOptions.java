package org.ivit.export.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which classes pictures have, where their folders do not say. */
final class LabelOptions {
  @Option(
      names = "--classes",
      paramLabel = "FILE",
      description =
          "The classes in order, one a line: a folder's name, or that, a tab and readable names.")
  Path classes;

  @Option(
      names = "--labels",
      paramLabel = "FILE",
      description = "Labels of a flat folder: a picture and its class a line.")
  Path labels;

  /** Refuses files that are not there before anything long starts. */
  void validate() {
    if (classes != null) {
      Checks.file("--classes", classes);
    }
    if (labels != null) {
      Checks.file("--labels", labels);
    }
  }
}
