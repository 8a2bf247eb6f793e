package org.ivit.djl;

import ai.djl.BaseModel;
import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.translate.Translator;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.engine.choice.Engines;

/**
 * An integer checkpoint as a model of DJL. It may be shared by any number of predictors, one a
 * thread; closing it frees the engine.
 *
 * <p>The class names are the artifact {@code synset.txt}, where DJL's translators look for them,
 * unless a file of that name lies beside the checkpoint.
 */
public final class IvitModel extends BaseModel {
  private static final String SYNSET = "synset.txt";

  IvitModel(String name, NDManager manager) {
    super(name);
    this.manager = manager;
    manager.setName("ivitModel");
    dataType = DataType.FLOAT32;
  }

  /**
   * {@inheritDoc}
   *
   * @param modelPath an integer checkpoint, or a folder with it
   * @param prefix the name of the file in the folder, with or without {@code .ivit.safetensors};
   *     null for one called as the model or as the folder, or else the only one that there is
   * @param options {@code engine}, {@code kernels} and {@code threads}, as text; may be null
   * @throws FileNotFoundException if there is no such file
   * @throws MalformedModelException if the file is no integer checkpoint or a damaged one
   * @throws InputException if an option cannot be used, or the engine does not run here
   * @throws IllegalStateException if the model is loaded already, or has a block
   */
  @Override
  public void load(Path modelPath, String prefix, Map<String, ?> options)
      throws IOException, MalformedModelException {
    requireEmpty();
    setModelDir(modelPath);
    Path file = ModelFile.find(modelDir, prefix, modelName);
    open(file, options);
    modelDir = file.getParent();
  }

  /**
   * {@inheritDoc}
   *
   * @param modelStream an integer checkpoint
   * @throws MalformedModelException as {@link #load(Path, String, Map)}, also {@link
   *     InputException} and {@link IllegalStateException}
   */
  @Override
  public void load(InputStream modelStream, Map<String, ?> options)
      throws IOException, MalformedModelException {
    requireEmpty();
    Path file = Files.createTempFile("ivit", ".ivit.safetensors");
    try {
      Files.copy(modelStream, file, StandardCopyOption.REPLACE_EXISTING);
      open(file, options);
    } finally {
      Files.delete(file);
    }
  }

  private void requireEmpty() {
    if (block != null) {
      throw new IllegalStateException(
          "model %s: has a block already; an integer checkpoint brings its own, once"
              .formatted(modelName));
    }
  }

  private void open(Path file, Map<String, ?> options) throws MalformedModelException {
    EngineConfig config = EngineOptions.read(options, manager.getDevice());
    IntegerCheckpoint checkpoint;
    try {
      checkpoint = CheckpointFile.read(file);
    } catch (InputException e) {
      throw new MalformedModelException(e.getMessage(), e);
    }
    IvitBlock loaded = new IvitBlock(checkpoint, Engines.open(checkpoint.graph(), config));
    // The manager ends with the model, also where DJL finds that nobody closed it.
    manager.attachInternal(NDManager.nextUid(), loaded);
    block = loaded;
    wasLoaded = true;
  }

  /**
   * {@inheritDoc}
   *
   * @throws InputException for another device than the model's
   */
  @Override
  public <I, O> Predictor<I, O> newPredictor(Translator<I, O> translator, Device device) {
    if (!device.equals(manager.getDevice())) {
      throw new InputException(
          "device: found %s, expected %s, which model %s runs on"
              .formatted(device, manager.getDevice(), modelName));
    }
    return super.newPredictor(translator, device);
  }

  /**
   * {@inheritDoc}
   *
   * @throws FileNotFoundException if no such file lies beside the checkpoint
   */
  @Override
  public URL getArtifact(String artifactName) throws IOException {
    if (modelDir == null) {
      throw new FileNotFoundException(artifactName + ": the model was loaded from no file");
    }
    return super.getArtifact(artifactName);
  }

  @Override
  public InputStream getArtifactAsStream(String name) throws IOException {
    boolean beside = modelDir != null && Files.isReadable(modelDir.resolve(name));
    if (!beside && name.equals(SYNSET) && block instanceof IvitBlock) {
      String classes = String.join("\n", IvitBlock.of(this).classNames());
      return new ByteArrayInputStream(classes.getBytes(StandardCharsets.UTF_8));
    }
    return super.getArtifactAsStream(name);
  }

  /** Always throws: checkpoints are written by {@code ivit quantize} and {@code ivit export}. */
  @Override
  public void save(Path modelPath, String newModelName) {
    throw new UnsupportedOperationException("save: an integer checkpoint is not written here");
  }
}
