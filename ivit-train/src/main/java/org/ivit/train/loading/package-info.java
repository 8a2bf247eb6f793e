/** The pictures that a recipe names, loaded in the background and put into batches. */
package org.ivit.train.loading;
