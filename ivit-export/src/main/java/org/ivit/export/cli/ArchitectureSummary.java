package org.ivit.export.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Part;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Positions;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.Activation;

/** A network's sizes and options in one line. What most models have in common is left out. */
final class ArchitectureSummary implements PartVisitor<Void> {
  private final List<String> first = new ArrayList<>();
  private final Map<Integer, Integer> depths = new LinkedHashMap<>();
  private final Map<Integer, Integer> heads = new LinkedHashMap<>();
  private final Set<Integer> hidden = new LinkedHashSet<>();
  private final Set<String> windows = new LinkedHashSet<>();
  private final Set<String> options = new LinkedHashSet<>();
  private final List<String> last = new ArrayList<>();
  private int width;

  private ArchitectureSummary() {}

  static String of(Architecture architecture) {
    ArchitectureSummary summary = new ArchitectureSummary();
    for (Part part : architecture.parts()) {
      part.accept(summary);
    }
    return String.join(", ", summary.all());
  }

  private List<String> all() {
    List<String> all = new ArrayList<>(first);
    all.addAll(windows);
    all.add("width " + width);
    if (depths.size() == 1) {
      all.add("depth " + only(depths.values()));
      all.add("heads " + only(heads.values()));
      all.add("hidden " + only(hidden));
    } else {
      all.add("depths " + depths.values());
      all.add("heads " + heads.values());
    }
    all.addAll(last);
    all.addAll(options);
    return all;
  }

  private static int only(Iterable<Integer> values) {
    return values.iterator().next();
  }

  @Override
  public Void stem(Stem stem) {
    first.add("picture " + stem.image());
    first.add("patch " + stem.patch());
    width = stem.dim();
    stem.leading().forEach(token -> options.add(token.name() + " " + token.count()));
    if (!stem.normed() && stem.positioned() != Positions.ALL) {
      options.add("positions " + stem.positioned().key());
    }
    return null;
  }

  @Override
  public Void block(Block block) {
    depths.merge(block.dim(), 1, Integer::sum);
    heads.put(block.dim(), block.heads());
    hidden.add(block.hidden());
    if (block.windows() != null) {
      if (block.windows().leadingTokens() > 0) {
        options.add("relative positions");
      } else {
        windows.add("window " + block.windows().window());
      }
    }
    if (block.rotary() != null) {
      options.add("rotary positions " + block.rotary().kind().key());
    }
    if (block.gated()) {
      options.add("mlp " + block.mlp().key());
    } else if (block.activation() != null) {
      activation(block.activation());
    }
    return null;
  }

  private void activation(Activation function) {
    if (function != Activation.GELU) {
      options.add("activation " + function.key());
    }
  }

  @Override
  public Void merging(Merging merging) {
    return null;
  }

  @Override
  public Void norm(Norm norm) {
    options.add("norm " + norm.name());
    return null;
  }

  @Override
  public Void meanPooling(MeanPooling pooling) {
    mean(pooling.pooledTokens());
    return null;
  }

  private void mean(int tokens) {
    options.add("mean over " + tokens + " tokens");
  }

  @Override
  public Void attentionPooling(AttentionPooling pooling) {
    options.add("attention pooling of " + pooling.tokens() + " tokens");
    activation(pooling.function());
    return null;
  }

  @Override
  public Void head(Head head) {
    last.add((head.answer() == Answer.FEATURES ? "features " : "classes ") + head.classes());
    if (head.pooled()) {
      mean(head.pooledTokens());
    }
    if (head.projection() != null) {
      options.add("projection");
    }
    if (head.normName() != null) {
      options.add("norm " + head.normName());
    }
    return null;
  }
}
