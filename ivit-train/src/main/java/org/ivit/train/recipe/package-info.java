/** The YAML description of a run, read into validated records and written back as resolved. */
package org.ivit.train.recipe;
