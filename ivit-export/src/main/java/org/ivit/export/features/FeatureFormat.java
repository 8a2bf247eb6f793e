package org.ivit.export.features;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Safetensors;

/** Files that features are written to, whole or not at all; the ending of the name says which. */
public enum FeatureFormat {
  /**
   * Safetensors: {@code features} [pictures, width], I32 with {@code scale} in the metadata, or
   * F32; {@code files} there is the JSON list of the pictures' names.
   */
  SAFETENSORS(".safetensors") {
    @Override
    public void write(Path file, FeatureSpool features, Map<String, String> origin) {
      String names = names(features).toString();
      if (names.length() > LARGEST_NAMES) {
        throw new InputException(
            "%s: the names of %d pictures are more than a safetensors header holds, expected .npy or .parquet"
                .formatted(file, features.names().size()));
      }
      Map<String, String> metadata = new LinkedHashMap<>(origin);
      metadata.putAll(scale(features));
      metadata.put(FeatureFile.FILES, names);
      Safetensors.write(
          file,
          FeatureFile.FEATURES,
          features.integer() ? DType.I32 : DType.F32,
          new long[] {features.names().size(), features.width()},
          metadata,
          features::copyTo);
    }
  },

  /** NumPy: the numbers, and beside them {@code NAME.npy.json} with the names, scale and model. */
  NPY(".npy") {
    @Override
    public void write(Path file, FeatureSpool features, Map<String, String> origin) {
      ObjectNode beside = JsonNodeFactory.instance.objectNode();
      origin.forEach(beside::put);
      scale(features).forEach(beside::put);
      beside.set(FeatureFile.FILES, names(features));
      byte[] json = (beside.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
      AtomicFiles.write(
          file,
          out -> {
            header(out, features);
            features.copyTo(out);
            AtomicFiles.write(beside(file), text -> text.write(json));
          });
    }
  },

  /** Parquet, by the module {@code ivit-spark}: a row a picture, name and list of numbers. */
  PARQUET(".parquet") {
    @Override
    public void write(Path file, FeatureSpool features, Map<String, String> origin) {
      Map<String, String> metadata = new LinkedHashMap<>(origin);
      metadata.putAll(scale(features));
      FeatureTables.require(file).write(file, features, metadata);
    }
  };

  /** Characters; readers of safetensors refuse a header of more than 100 MB. */
  private static final int LARGEST_NAMES = 90_000_000;

  private static final int NPY_ALIGNMENT = 64;

  private final String ending;

  FeatureFormat(String ending) {
    this.ending = ending;
  }

  /**
   * The format of a file.
   *
   * @throws InputException if its name ends in none of them, or nothing here writes Parquet
   */
  public static FeatureFormat of(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    for (FeatureFormat format : values()) {
      if (name.endsWith(format.ending)) {
        if (format == PARQUET) {
          FeatureTables.require(file);
        }
        return format;
      }
    }
    throw new InputException(
        file + ": expected a name that ends in .safetensors, .npy or .parquet");
  }

  /**
   * Writes features.
   *
   * @param file to create or replace
   * @param origin where they come from, by key
   * @throws java.io.UncheckedIOException naming the file, if it cannot be written
   */
  public abstract void write(Path file, FeatureSpool features, Map<String, String> origin);

  /** The file with the names beside a NumPy file. */
  static Path beside(Path file) {
    return file.resolveSibling(file.getFileName() + ".json");
  }

  private static ArrayNode names(FeatureSpool features) {
    ArrayNode names = JsonNodeFactory.instance.arrayNode();
    features.names().forEach(names::add);
    return names;
  }

  private static Map<String, String> scale(FeatureSpool features) {
    return features.integer()
        ? Map.of(
            FeatureFile.SCALE,
            Float.toString(features.scale()),
            FeatureFile.SCALE + "_hex",
            Float.toHexString(features.scale()))
        : Map.of();
  }

  /** NumPy's format 1.0: magic, length, a Python literal, padded so that data are aligned. */
  private static void header(OutputStream out, FeatureSpool features) throws IOException {
    String literal =
        "{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }"
            .formatted(
                features.integer() ? "<i4" : "<f4", features.names().size(), features.width());
    int bytes = 10 + literal.length() + 1;
    int padded = (bytes + NPY_ALIGNMENT - 1) / NPY_ALIGNMENT * NPY_ALIGNMENT;
    String header = literal + " ".repeat(padded - bytes) + "\n";
    out.write(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    out.write(header.length() & 0xff);
    out.write(header.length() >> 8);
    out.write(header.getBytes(StandardCharsets.US_ASCII));
  }
}
