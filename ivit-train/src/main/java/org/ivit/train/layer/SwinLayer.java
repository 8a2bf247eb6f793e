package org.ivit.train.layer;

import java.util.Objects;
import org.ivit.core.architecture.Architectures;
import org.ivit.core.architecture.Swin;
import org.ivit.core.graph.SchemeJson;

/** A layer of a Swin: its sizes and names follow from the architecture and its place in it. */
public abstract class SwinLayer extends BlockLayer {
  private static final long serialVersionUID = 1L;

  private String architecture;

  /** For Jackson. */
  protected SwinLayer() {}

  /**
   * @param inputs channels of a token that comes in
   * @param outputs channels of a token, or classes, that go out
   * @param architecture of the whole network
   * @param scheme JSON of {@link SchemeJson} for integers, null for floating point
   */
  protected SwinLayer(int inputs, int outputs, Swin architecture, String scheme) {
    super(inputs, outputs, scheme);
    this.architecture = architecture.toJson().toString();
  }

  /** The architecture of the whole network. */
  final Swin swin() {
    return (Swin) Architectures.parse(architecture);
  }

  /** Returns the architecture as JSON. */
  public final String getArchitecture() {
    return architecture;
  }

  /** Sets the architecture as JSON. */
  public final void setArchitecture(String architecture) {
    this.architecture = architecture;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof SwinLayer that
        && Objects.equals(architecture, that.architecture);
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof SwinLayer;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), architecture);
  }
}
