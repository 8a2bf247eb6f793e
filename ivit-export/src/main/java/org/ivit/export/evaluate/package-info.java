/**
 * What a model answers on labelled pictures: counts, intervals, confusion and the comparison of two
 * models, and the files that record it.
 */
package org.ivit.export.evaluate;
