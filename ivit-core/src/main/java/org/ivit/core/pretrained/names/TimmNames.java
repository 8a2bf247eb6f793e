package org.ivit.core.pretrained.names;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * Brings the tensors of timm, of the models' first releases, of Hugging Face, OpenAI, open_clip,
 * torchvision and of JAX's {@code .npz} to the names and layouts of timm. A name that is not known
 * stays, so that the check against the architecture lists it.
 */
public final class TimmNames {
  /** Who named the tensors of a model. */
  public enum Source {
    /** timm, or who uses its names. */
    TIMM,
    /** The release of DINOv2. */
    DINOV2,
    /** The release of DINOv3. */
    DINOV3,
    /** Hugging Face's ViT, DeiT, Swin, MAE, BEiT, DINOv2 and DINOv3. */
    HUGGING_FACE,
    /** The picture tower of Hugging Face's CLIP and SigLIP. */
    HUGGING_FACE_TOWER,
    /** The picture tower of OpenAI's CLIP and of open_clip. */
    OPEN_CLIP,
    /** augreg's {@code .npz}. */
    AUGREG,
    /** big_vision's {@code .npz}. */
    BIG_VISION,
    /** torchvision. */
    TORCHVISION
  }

  /** Periods of rotary positions in the release of DINOv3, [head dim / 4]. */
  public static final String PERIODS = DinoNames.PERIODS;

  private static final Pattern MEMBER =
      Pattern.compile("(.*\\b(?:attn|attn_pool)\\.)(query|key|value)(\\.(?:weight|bias))");
  private static final Pattern BUFFER = Pattern.compile(".*\\.(relative_position_index|attn_mask)");
  private static final Convention PLAIN = name -> name;

  private final Source source;
  private final Convention convention;

  private TimmNames(Source source, Convention convention) {
    this.source = source;
    this.convention = convention;
  }

  /**
   * Finds out who named the tensors of a model.
   *
   * @param names of all its tensors
   */
  public static TimmNames from(Set<String> names) {
    FlaxNames flax = FlaxNames.of(names);
    if (flax != null) {
      return new TimmNames(flax.bigVision() ? Source.BIG_VISION : Source.AUGREG, flax);
    }
    if (HuggingFaceTowerNames.matches(names)) {
      return new TimmNames(Source.HUGGING_FACE_TOWER, new HuggingFaceTowerNames());
    }
    if (HuggingFaceNames.matches(names)) {
      return new TimmNames(Source.HUGGING_FACE, new HuggingFaceNames());
    }
    HuggingFaceDinov3Names dinov3 = HuggingFaceDinov3Names.of(names);
    if (dinov3 != null) {
      return new TimmNames(Source.HUGGING_FACE, dinov3);
    }
    if (OpenClipNames.matches(names)) {
      return new TimmNames(Source.OPEN_CLIP, new OpenClipNames());
    }
    TorchvisionNames torchvision = TorchvisionNames.of(names);
    if (torchvision != null) {
      return new TimmNames(Source.TORCHVISION, torchvision);
    }
    if (DinoNames.matches(names)) {
      boolean rotary = names.contains(PERIODS);
      return new TimmNames(rotary ? Source.DINOV3 : Source.DINOV2, new DinoNames());
    }
    if (EvaNames.matches(names)) {
      return new TimmNames(Source.TIMM, new EvaNames());
    }
    SwinNames swin = SwinNames.of(names);
    return new TimmNames(Source.TIMM, swin == null ? PLAIN : swin);
  }

  /** Who named them. */
  public Source source() {
    return source;
  }

  /**
   * What timm calls a tensor; query, key and value come to one name.
   *
   * @param name in the file
   * @return null for a tensor that no forward pass of pictures needs
   */
  public String timm(String name) {
    String renamed = member(name);
    if (renamed == null) {
      return null;
    }
    Matcher member = MEMBER.matcher(renamed);
    return member.matches() ? member.group(1) + "qkv" + member.group(3) : renamed;
  }

  /** As {@link #timm}, query, key and value apart. */
  private String member(String name) {
    return BUFFER.matcher(name).matches() ? null : convention.timm(name);
  }

  /**
   * Renames, joins query, key and value, and gives the class token its position where registers
   * have none.
   *
   * @param file tensors under the names of their file
   * @return the same under timm's
   * @throws InputException if two tensors come to one name, or query, key and value do not match
   */
  public static TensorFile of(TensorFile file) {
    TimmNames names = from(file.tensors().keySet());
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    file.tensors()
        .forEach(
            (name, tensor) -> {
              String plain = names.member(name);
              if (plain != null) {
                Tensor laid = names.convention.laid(name, file.source(), tensor);
                put(file.source(), tensors, plain, laid);
              }
            });
    Map<String, Tensor> joined = joined(file.source(), tensors);
    if (names.convention.classPositionAmongPatches()) {
      addClassPosition(joined);
    }
    return new TensorFile(joined, file.metadata(), file.source());
  }

  /** A key without a bias gets one of zeros, as its query and value have them. */
  private static Map<String, Tensor> joined(String source, Map<String, Tensor> tensors) {
    Map<String, Tensor> joined = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          Matcher member = MEMBER.matcher(name);
          if (!member.matches()) {
            put(source, joined, name, tensor);
            return;
          }
          String prefix = member.group(1);
          String suffix = member.group(3);
          if (member.group(2).equals("query")) {
            put(source, joined, prefix + "qkv" + suffix, join(source, tensors, prefix, suffix));
          } else if (!tensors.containsKey(prefix + "query" + suffix)) {
            put(source, joined, name, tensor);
          }
        });
    return joined;
  }

  private static Tensor join(
      String source, Map<String, Tensor> tensors, String prefix, String suffix) {
    Tensor query = tensors.get(prefix + "query" + suffix);
    Tensor key = tensors.get(prefix + "key" + suffix);
    Tensor value = tensors.get(prefix + "value" + suffix);
    if (key == null && suffix.equals(".bias")) {
      key = Layouts.zerosLike(query);
    }
    requireLike(source, prefix + "key" + suffix, key, query);
    requireLike(source, prefix + "value" + suffix, value, query);
    return Layouts.stacked(
        "%s: tensor %squery%s".formatted(source, prefix, suffix), query, key, value);
  }

  private static void requireLike(String source, String name, Tensor tensor, Tensor query) {
    boolean same =
        tensor != null
            && tensor.dtype() == query.dtype()
            && Arrays.equals(tensor.shape(), query.shape());
    if (!same) {
      throw new InputException(
          "%s: tensor %s: is %s, expected %s as its query"
              .formatted(source, name, tensor == null ? "missing" : tensor, query));
    }
  }

  /**
   * Positions of class token and patches, but none of registers: the class token's is added to it,
   * and positions of patches stay.
   */
  private static void addClassPosition(Map<String, Tensor> tensors) {
    Tensor token = tensors.get("cls_token");
    Tensor positions = tensors.get("pos_embed");
    boolean apart =
        tensors.containsKey("reg_token")
            && token != null
            && positions != null
            && token.dtype().isFloating()
            && token.dtype() != DType.F64
            && token.dtype() == positions.dtype()
            && positions.shape().length == 3
            && positions.shape()[0] == 1
            && positions.shape()[1] > 1
            && token.size() == positions.shape()[2];
    if (!apart) {
      return;
    }
    float[] sum = token.floats();
    float[] all = positions.floats();
    for (int c = 0; c < sum.length; c++) {
      sum[c] += all[c];
    }
    tensors.put("cls_token", Tensor.of(sum, token.shape()));
    tensors.put(
        "pos_embed",
        Tensor.of(
            Arrays.copyOfRange(all, sum.length, all.length),
            1,
            positions.shape()[1] - 1,
            sum.length));
  }

  private static void put(String source, Map<String, Tensor> tensors, String name, Tensor tensor) {
    if (tensors.put(name, tensor) != null) {
      throw new InputException(
          "%s: two of its tensors come to the name %s".formatted(source, MessageText.quote(name)));
    }
  }
}
