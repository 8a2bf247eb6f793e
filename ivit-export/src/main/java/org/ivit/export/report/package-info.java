/**
 * HTML reports of models: accuracy, learning curves, the worst pictures and classes, confusion,
 * ranges, sizes and provenance, on the pages of {@link org.ivit.train.report}.
 */
package org.ivit.export.report;
