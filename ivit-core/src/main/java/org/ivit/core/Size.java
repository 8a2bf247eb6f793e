package org.ivit.core;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.Serializable;

/**
 * A height and a width: of a picture in pixels, or of a grid in tokens. In JSON one number where
 * they are equal, else {@code [height, width]}.
 *
 * @param height rows
 * @param width columns
 */
public record Size(int height, int width) implements Serializable {
  /**
   * @param side height and width
   */
  public static Size of(int side) {
    return new Size(side, side);
  }

  /**
   * Reads a number, or a list of two.
   *
   * @param json what a description has
   * @throws InputException if it is something else
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static Size read(JsonNode json) {
    if (is(json)) {
      return json.isArray()
          ? new Size(json.get(0).intValue(), json.get(1).intValue())
          : of(json.intValue());
    }
    throw new InputException(
        "architecture: size is %s, expected a number or [height, width]"
            .formatted(MessageText.line(json.toString())));
  }

  /** Whether {@link #read} reads it. */
  public static boolean is(JsonNode json) {
    return isSide(json)
        || (json.isArray() && json.size() == 2 && isSide(json.get(0)) && isSide(json.get(1)));
  }

  private static boolean isSide(JsonNode json) {
    return json.isIntegralNumber() && json.canConvertToInt();
  }

  /** A number, or a list of two. */
  @JsonValue
  public JsonNode toJson() {
    return isSquare()
        ? IntNode.valueOf(height)
        : JsonNodeFactory.instance.arrayNode().add(height).add(width);
  }

  /** Whether height and width are equal. */
  public boolean isSquare() {
    return height == width;
  }

  /** Height times width. */
  public int area() {
    return height * width;
  }

  /**
   * The side of a square.
   *
   * @throws UnsupportedOperationException if it is none
   */
  public int side() {
    if (!isSquare()) {
      throw new UnsupportedOperationException("a size of " + this + ", expected a square");
    }
    return height;
  }

  /** The larger of both. */
  public int longer() {
    return Math.max(height, width);
  }

  /** The smaller of both. */
  public int shorter() {
    return Math.min(height, width);
  }

  /** The size in steps of {@code step}. */
  public Size dividedBy(int step) {
    return new Size(height / step, width / step);
  }

  /** Returns {@code 224}, or {@code 224x160}: height first. */
  @Override
  public String toString() {
    return isSquare() ? Integer.toString(height) : height + "x" + width;
  }
}
