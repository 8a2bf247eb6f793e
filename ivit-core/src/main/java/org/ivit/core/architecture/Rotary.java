package org.ivit.core.architecture;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import org.ivit.core.InputException;
import org.ivit.core.Size;

/**
 * Rotary positions (Su et al. 2021) in two axes: each head's queries and keys of a patch are pairs
 * of channels, turned by angles that follow from the patch's row and column. Leading tokens are not
 * turned.
 *
 * @param kind which angles and pairs
 * @param grid patches of a picture
 * @param leading tokens before the patches, 0 or more
 * @param reference the grid in whose units {@link Kind#CAT} measures rows and columns, that of
 *     pretraining; null for {@code grid}, and for {@link Kind#DINOV3}, which needs none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Rotary(Kind kind, Size grid, int leading, Size reference) {
  /** Which angles, and which channels make a pair; named after timm's classes. */
  public enum Kind {
    /**
     * Rows and columns are places of patch centres from −1 to 1, angles {@code 2π·place /
     * 100^(4m/d)}; channel i of the first half of a head pairs with channel i of the second.
     */
    DINOV3(100),
    /**
     * Rows and columns are those of the reference grid, angles {@code place / 10000^(4m/d)};
     * neighbouring channels pair.
     */
    CAT(10000);

    private final double base;

    Kind(double base) {
      this.base = base;
    }

    /** What angles are divided by powers of: the temperature, or theta. */
    public double base() {
      return base;
    }

    /** The name in descriptions. */
    @JsonValue
    public String key() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * @param channel of a head
     * @param headDim channels of a head
     * @return the channel that it makes a pair with
     */
    public int partner(int channel, int headDim) {
      return this == CAT ? channel ^ 1 : (channel + headDim / 2) % headDim;
    }

    private boolean first(int channel, int headDim) {
      return this == CAT ? channel % 2 == 0 : channel < headDim / 2;
    }

    private int pair(int channel, int headDim) {
      return this == CAT ? channel / 2 : channel % (headDim / 2);
    }

    private double angle(double place, int m, int headDim) {
      double period = StrictMath.pow(base, 4.0 * m / headDim);
      return this == CAT ? place / period : 2 * Math.PI * place / period;
    }
  }

  /**
   * What turns the queries and keys of all tokens: channel i of a token becomes {@code x[i]·cos[i]
   * + x[partner]·sin[i]}.
   *
   * @param cos [tokens][headDim], 1 for leading tokens
   * @param sin [tokens][headDim] with the sign of the channel's place in its pair, 0 for leading
   *     tokens
   */
  public record Table(double[] cos, double[] sin) {}

  /** Checks the sizes. */
  public Rotary {
    SizeChecks check = new SizeChecks("rotary");
    check.inRange("grid", grid);
    if (leading < 0) {
      throw check.refused("leading is " + leading + ", expected 0 or more");
    }
    if (reference != null) {
      check.inRange("reference", reference);
      if (kind != Kind.CAT) {
        throw check.refused("reference with kind " + kind.key() + ", expected kind cat");
      }
    }
  }

  /** Tokens of a picture. */
  public int tokens() {
    return leading + grid.area();
  }

  /**
   * Requires a head that splits into pairs of two axes.
   *
   * @throws InputException unless {@code headDim} is a multiple of 4
   */
  void check(SizeChecks check, int headDim, int tokens) {
    if (headDim % 4 != 0) {
      throw check.refused(
          "heads of %d channels with rotary positions, expected a multiple of 4"
              .formatted(headDim));
    }
    if (tokens != tokens()) {
      throw check.refused(
          "has %d tokens, expected those of its rotary positions, %d".formatted(tokens, tokens()));
    }
  }

  /**
   * The table, float64; the same bits on every machine.
   *
   * @param headDim channels of a head, a multiple of 4
   */
  public Table table(int headDim) {
    double[] cos = new double[tokens() * headDim];
    double[] sin = new double[tokens() * headDim];
    int quarter = headDim / 4;
    for (int token = 0; token < tokens(); token++) {
      for (int c = 0; c < headDim; c++) {
        double angle = 0;
        if (token >= leading) {
          int pair = kind.pair(c, headDim);
          double place = place(token - leading, pair >= quarter);
          angle = kind.angle(place, pair % quarter, headDim);
        }
        int at = token * headDim + c;
        cos[at] = StrictMath.cos(angle);
        sin[at] = kind.first(c, headDim) ? -StrictMath.sin(angle) : StrictMath.sin(angle);
      }
    }
    return new Table(cos, sin);
  }

  private double place(int patch, boolean column) {
    int i = column ? patch % grid.width() : patch / grid.width();
    int length = column ? grid.width() : grid.height();
    if (kind == Kind.DINOV3) {
      return 2 * (i + 0.5) / length - 1;
    }
    Size unit = reference == null ? grid : reference;
    return (double) i / length * (column ? unit.width() : unit.height());
  }
}
