package org.ivit.train.recipe;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.LinkTree;
import com.sun.source.doctree.LiteralTree;
import com.sun.source.doctree.ParamTree;
import com.sun.source.doctree.StartElementTree;
import com.sun.source.doctree.TextTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** What the Javadoc of records and enums says, read from their sources, as Markdown. */
final class RecordDocs {
  private static final List<Path> SOURCES =
      List.of(Path.of("src", "main", "java"), Path.of("..", "ivit-core", "src", "main", "java"));

  /** By {@code Class} or {@code Class.member}, with the names of nested classes after dots. */
  private final Map<String, String> texts = new HashMap<>();

  private final Map<Class<?>, Boolean> read = new HashMap<>();

  /** The description of a class; null without one. */
  String of(Class<?> type) {
    return text(type, "");
  }

  /** What the class says of a record's component or of an enum's constant; null where nothing. */
  String of(Class<?> type, String member) {
    return text(type, "." + member);
  }

  private String text(Class<?> type, String member) {
    Class<?> outermost = type;
    while (outermost.getDeclaringClass() != null) {
      outermost = outermost.getDeclaringClass();
    }
    read.computeIfAbsent(outermost, this::read);
    return texts.get(
        type.getCanonicalName().substring(type.getPackageName().length() + 1) + member);
  }

  private boolean read(Class<?> outermost) {
    Path file =
        SOURCES.stream()
            .map(root -> root.resolve(outermost.getName().replace('.', '/') + ".java"))
            .filter(Files::exists)
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no source of " + outermost));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null, files, null, List.of("-proc:none"), null, files.getJavaFileObjects(file));
      DocTrees docs = DocTrees.instance(task);
      for (CompilationUnitTree unit : task.parse()) {
        new Reader(docs).scan(unit, "");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return true;
  }

  /** Collects comments; the argument is the name of the class around. */
  private final class Reader extends TreePathScanner<Void, String> {
    private final DocTrees docs;

    Reader(DocTrees docs) {
      this.docs = docs;
    }

    @Override
    public Void visitClass(ClassTree tree, String around) {
      String name =
          around.isEmpty() ? tree.getSimpleName().toString() : around + "." + tree.getSimpleName();
      DocCommentTree comment = docs.getDocCommentTree(getCurrentPath());
      if (comment != null) {
        texts.put(name, markdown(comment.getFullBody()));
        for (DocTree tag : comment.getBlockTags()) {
          if (tag instanceof ParamTree parameter) {
            texts.put(name + "." + parameter.getName(), markdown(parameter.getDescription()));
          }
        }
      }
      return super.visitClass(tree, name);
    }

    @Override
    public Void visitVariable(VariableTree tree, String around) {
      DocCommentTree comment = docs.getDocCommentTree(getCurrentPath());
      if (comment != null) {
        texts.putIfAbsent(around + "." + tree.getName(), markdown(comment.getFullBody()));
      }
      return null;
    }
  }

  private static String markdown(List<? extends DocTree> trees) {
    return trees.stream()
        .map(RecordDocs::markdown)
        .collect(Collectors.joining())
        .replaceAll("[ \\t]*\\n[ \\t]*", "\n")
        .replaceAll("(?<!\\n)\\n(?!\\n)", " ")
        .replaceAll("\\n{2,}", "\n\n")
        .strip();
  }

  private static String markdown(DocTree tree) {
    if (tree instanceof LiteralTree literal) {
      return "`" + literal.getBody().getBody().strip().replaceAll("\\s+", " ") + "`";
    }
    if (tree instanceof TextTree text) {
      return text.getBody();
    }
    if (tree instanceof LinkTree link && !link.getLabel().isEmpty()) {
      return markdown(link.getLabel());
    }
    if (tree instanceof StartElementTree start && start.getName().contentEquals("p")) {
      return "\n\n";
    }
    return tree.toString();
  }
}
