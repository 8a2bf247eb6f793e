package org.ivit.core.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;

/** Architectures by inline descriptions in JSON with single quotes and without braces. */
public final class InlineDescription {
  private static final ObjectMapper JSON = new ObjectMapper();

  private InlineDescription() {}

  /**
   * The architecture of a description.
   *
   * @param base its keys, such as {@code 'kind': 'vit', 'image': 32}
   * @param changes keys in place of those, or beside them, one after the other
   */
  public static Architecture parse(String base, String... changes) {
    ObjectNode description = keys(base);
    for (String change : changes) {
      description.setAll(keys(change));
    }
    return Architectures.parse(description);
  }

  /** The keys alone. */
  public static ObjectNode keys(String keys) {
    try {
      return (ObjectNode) JSON.readTree("{" + keys.replace('\'', '"') + "}");
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(keys, e);
    }
  }
}
