package org.ivit.core.tensor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.io.FileFailures;

/**
 * Opens tensors from any file that is known here: safetensors, its index of shards, PyTorch's zip
 * and legacy form, NumPy's {@code .npz}, or a Hugging Face folder with {@code model.safetensors} or
 * {@code pytorch_model.bin}, whole or in shards. The content decides, not the name.
 */
public final class TensorFiles {
  private static final String MODEL = "model.safetensors";
  private static final String PYTORCH = "pytorch_model.bin";
  private static final String WEIGHTS = "weights.safetensors";
  private static final String OPEN_CLIP = "open_clip_model.safetensors";
  private static final String OPEN_CLIP_PYTORCH = "open_clip_pytorch_model.bin";
  private static final Pattern OF_WEIGHTS = Pattern.compile(".*\\.(safetensors|bin|pth|pt|npz)");
  private static final String INDEX = ".index.json";
  private static final List<String> NAMES =
      List.of(
          MODEL, MODEL + INDEX, PYTORCH, PYTORCH + INDEX, WEIGHTS, OPEN_CLIP, OPEN_CLIP_PYTORCH);
  private static final long LARGEST_INDEX = 16 << 20;
  private static final int ZIP = 0x04034b50;
  private static final int EMPTY_ZIP = 0x06054b50;

  private TensorFiles() {}

  /**
   * All tensors, under the names that the file gives them.
   *
   * @param path a file or a Hugging Face folder
   * @throws InputException as {@link #contents}
   */
  public static TensorFile open(Path path) {
    try (TensorContents contents = contents(path)) {
      return contents.all();
    }
  }

  /**
   * What a file holds, before any tensor of it is read.
   *
   * @param path a file or a Hugging Face folder
   * @return to be closed when all that is wanted is read
   * @throws InputException one line that says what is wrong and where; whatever the bytes are,
   *     nothing else is thrown and nothing of the file is executed
   */
  public static TensorContents contents(Path path) {
    return contents(path, true);
  }

  /**
   * @param index whether the file may be one of shards, which itself may not
   */
  @SuppressWarnings("MustBeClosedChecker")
  private static TensorContents contents(Path path, boolean index) {
    Path file = file(path);
    if (Files.isDirectory(file)) {
      throw new InputException(file + ": is a folder, expected a file of tensors");
    }
    try {
      FileBytes bytes = FileBytes.open(file);
      TensorContents contents = null;
      try {
        contents = contents(file, bytes, index);
        return contents;
      } finally {
        if (contents == null || !contents.reads(bytes)) {
          bytes.close();
        }
      }
    } catch (NoSuchFileException e) {
      throw new InputException(file + ": no such file", e);
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read: " + FileFailures.reason(e), e);
    }
  }

  private static TensorContents contents(Path path, FileBytes file, boolean index)
      throws IOException {
    ByteBuffer start = file.slice("beginning", 0, Math.min(file.size(), ForeignFormat.BEGINNING));
    int first = start.remaining() < 4 ? 0 : start.getInt(0);
    if (first == ZIP || first == EMPTY_ZIP) {
      return zip(file);
    }
    if ((first & 0xff) == 0x80 && ((first >> 8) & 0xff) <= 5 && start.get(2) != 0) {
      return Torch.readLegacy(file);
    }
    if (index && (first & 0xff) == '{' && start.remaining() > 8 && start.get(8) != '{') {
      return shards(path);
    }
    // A header's length may look like the mark of another format; the brace after it does not.
    boolean safetensors = start.remaining() > 8 && start.get(8) == '{';
    String foreign = safetensors ? null : ForeignFormat.of(start);
    if (foreign != null) {
      throw new InputException(path + ": " + foreign);
    }
    return Safetensors.contents(path);
  }

  private static TensorContents zip(FileBytes file) throws IOException {
    ZipEntries zip = new ZipEntries(file);
    boolean arrays = false;
    for (String name : zip.names()) {
      if (name.equals(Torch.PICKLE) || name.endsWith("/" + Torch.PICKLE)) {
        return Torch.readZip(file, zip, name);
      }
      arrays |= name.endsWith(Npz.SUFFIX);
    }
    if (!arrays) {
      throw new InputException(
          file.source() + ": a zip file without PyTorch's data.pkl or NumPy's *.npy");
    }
    return TensorContents.of("NumPy .npz", Npz.read(file, zip), Map.of());
  }

  /**
   * The file that stands for a path: of a folder its weights or their index, by the names that
   * Hugging Face, timm and open_clip give them, or else its only file of weights.
   *
   * @param path a file or a folder
   * @throws InputException if it is a folder without them
   */
  public static Path file(Path path) {
    if (!Files.isDirectory(path)) {
      return path;
    }
    return only(path)
        .orElseThrow(
            () ->
                new InputException(
                    "%s: a folder without %s or %s, whole or in shards"
                        .formatted(path, MODEL, PYTORCH)));
  }

  /** Whether a folder has a file that {@link #file} takes. */
  public static boolean holdsOne(Path folder) {
    return only(folder).isPresent();
  }

  private static Optional<Path> only(Path folder) {
    for (String name : NAMES) {
      if (Files.isRegularFile(folder.resolve(name))) {
        return Optional.of(folder.resolve(name));
      }
    }
    try (Stream<Path> all = Files.list(folder)) {
      List<Path> files =
          all.filter(file -> OF_WEIGHTS.matcher(file.getFileName().toString()).matches()).toList();
      return files.size() == 1 ? Optional.of(files.get(0)) : Optional.empty();
    } catch (IOException e) {
      throw new InputException(folder + ": cannot be read: " + FileFailures.reason(e), e);
    }
  }

  private static TensorContents shards(Path index) {
    JsonNode map;
    try {
      if (Files.size(index) > LARGEST_INDEX) {
        throw new InputException(index + ": an index of more than 16 MiB");
      }
      map = new ObjectMapper().readTree(Files.readAllBytes(index)).path("weight_map");
    } catch (JsonProcessingException e) {
      throw new InputException(index + ": not well-formed JSON: " + MessageText.problem(e), e);
    } catch (IOException e) {
      throw new InputException(index + ": cannot be read: " + FileFailures.reason(e), e);
    }
    if (!map.isObject() || map.isEmpty()) {
      throw new InputException(index + ": no weight_map, the file of each tensor");
    }
    Map<String, TensorFile> files = new LinkedHashMap<>();
    TreeSet<String> names = new TreeSet<>();
    map.forEach(file -> names.add(file.asText()));
    for (String name : names) {
      if (!name.matches("[A-Za-z0-9_-][A-Za-z0-9._-]*")) {
        throw new InputException(
            "%s: %s is no name of a file beside it".formatted(index, MessageText.quote(name)));
      }
      try (TensorContents shard = contents(index.resolveSibling(name), false)) {
        files.put(name, shard.all());
      }
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    map.fields()
        .forEachRemaining(
            item ->
                tensors.put(item.getKey(), files.get(item.getValue().asText()).get(item.getKey())));
    return TensorContents.of(
        files.size() + " files by an index",
        new TensorFile(tensors, Map.of(), index.toString()),
        Map.of());
  }
}
