package org.ivit.export.cli.option;

import java.nio.file.Path;
import org.ivit.core.InputException;
import picocli.CommandLine.Option;

/** How features of pictures become answers. */
public final class FeatureOptions {
  private static final int NEIGHBOURS = 20;
  private static final double TEMPERATURE = 0.07;

  @Option(
      names = "--gallery",
      paramLabel = "DIR",
      description =
          "Of a model that answers with features: labelled pictures, a folder as --data. A picture has"
              + " the class that its nearest neighbours there vote for, by cosine.")
  private String gallery;

  @Option(
      names = "--neighbours",
      paramLabel = "K",
      description = "How many neighbours vote; without it, " + NEIGHBOURS + ".")
  private Integer neighbours;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description =
          "A neighbour votes with weight exp(cosine / T); without it, " + TEMPERATURE + ".")
  private Double temperature;

  @Option(
      names = "--class-embeddings",
      paramLabel = "F",
      description =
          "Of a model that answers with features: a vector a class, safetensors with the tensor"
              + " embeddings (docs/features.md). A picture has the class whose vector is most like it.")
  private Path classEmbeddings;

  /** Refuses impossible values before anything long starts. */
  public void validate() {
    if (gallery != null && classEmbeddings != null) {
      throw new InputException("--gallery, --class-embeddings: found both, expected one of them");
    }
    if (gallery == null && (neighbours != null || temperature != null)) {
      throw new InputException(
          (neighbours != null ? "--neighbours" : "--temperature") + ": expected beside --gallery");
    }
    if (neighbours != null) {
      Checks.atLeast("--neighbours", neighbours, 1);
    }
    if (temperature != null) {
      Checks.positive("--temperature", temperature);
    }
    Checks.file("--class-embeddings", classEmbeddings);
  }

  /**
   * Refuses them beside a model that answers with classes by itself.
   *
   * @throws InputException naming the option
   */
  public void requireNone(Path model) {
    if (gallery != null || classEmbeddings != null) {
      throw new InputException(
          "%s: %s answers with classes by itself, expected a model that answers with features"
              .formatted(gallery != null ? "--gallery" : "--class-embeddings", model));
    }
  }

  /** Where labelled pictures lie; null where not given. */
  public String gallery() {
    return gallery;
  }

  /** How many neighbours vote. */
  public int neighbours() {
    return neighbours == null ? NEIGHBOURS : neighbours;
  }

  /** Temperature of the votes. */
  public double temperature() {
    return temperature == null ? TEMPERATURE : temperature;
  }

  /** A file with a vector a class; null where not given. */
  public Path classEmbeddings() {
    return classEmbeddings;
  }
}
