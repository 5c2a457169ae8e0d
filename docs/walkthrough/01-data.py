# %% [markdown]
# # The data
#
# This is a walk from the first row of a table to a model on the Hugging Face Hub. One idea at a time: a few lines of code, what they print, and what to make of it.
#
# It follows the steps of the script that emolens grew out of: one person, one dataset, one afternoon with a model called DistilBERT, and many good questions. The questions are still the right ones. Where an answer has changed since then, this walk has the new one. Like the script, it is made for understanding: a notebook to play with, and no machine for production.

# %% [markdown]
# ## Before the first step
#
# One line decides what we look at: the data, the encoder, and which share of the training rows the long training gets.
#
# - **For your first walk**, it is `"starter", "minilm", 0.5`: the data and the encoder that come with emolens, and half of the training rows. No network, no graphics card, and less than eight minutes on two cores.
# - **The published walk**, whose outputs you see on the pages of the site and in the notebook before you run it, is `"dair-ai/emotion", "minilm", 1.0`: 20,000 Twitter messages from the Hub, and all training rows. The figures that begin with "in `emotion`" are from there. If you see other numbers, nothing is broken. You have other data.

# %%
import emolens as el

# First walk: "starter", "minilm", 0.5. The encoder of the script: "distilbert".
DATA, ENCODER, SHARE = "starter", "minilm", 0.5

# %% [markdown]
# **Try this:** walk with `starter` first, and with `dair-ai/emotion` the second time. The questions stay the same, and the answers do not. That is half of the lesson.

# %% [markdown]
# ## Loading it is one line
#
# A name is enough. It can be a dataset that comes with emolens, a dataset on the Hub (downloaded once, then read from your disk), or your own file: CSV, Excel, JSON, Parquet.

# %%
dataset = el.load_dataset(DATA)
dataset

# %% [markdown]
# Read the table before you read on. The rows are emotions, the columns are splits, and the numbers are texts. That is the whole dataset on one small table. It is small enough to try things quickly, and rich enough to see something in it.
#
# In `emotion`, the order of the classes is sadness, joy, love, anger, fear, surprise. The order matters more than it seems: a model knows only numbers, and 0 is sadness because sadness comes first. Print a list in another order beside it, and every joy becomes a sadness. (It has happened to better people than us.)
#
# **Try this:** load a table of your own. `el.load_dataset("reviews.csv", text="review", label="mood")` takes any file with a column of texts and a column of labels.

# %% [markdown]
# ## Why three splits
#
# The rows come in three parts:
#
# - **train**: the model learns from these,
# - **validation**: we look at these while we choose, such as which model to keep,
# - **test**: we look at these once, at the very end.

# %%
for name, n in dataset.sizes.items():
    print(f"{name:<11}{n:>7,} texts")
seen = set(dataset["train"].texts) & set(dataset["test"].texts)
print(f"texts of test that are also in train: {len(seen)}")

# %% [markdown]
# Why not one part? If you test a model on what it has learned from, you ask it to recite, not to understand. We want to know whether it **generalizes**.
#
# And why not two? Because choosing is a kind of learning, too. Try twenty settings, keep the best one on some rows, and its figure on these rows is a little too good: you picked the luckiest. So validation is for choosing, and test is for telling the truth. Nothing in this walk is ever chosen on test.
#
# The last line looks for cheats. A text that is in train *and* in test can be recited. In `emotion`, 11 texts are in both. That is too few to change a figure, but you want to know before somebody else tells you.
#
# **Try this:** ask for the whole list of what may be wrong with the data: `el.audit(dataset)`. It looks at repeated texts, contradicting labels, other languages, and more.

# %% [markdown]
# ## Columns and features
#
# What does a row hold?

# %%
print(dataset.columns)
dataset.features

# %% [markdown]
# A text column, which is a `string`, and a label column. The label is a `ClassLabel`: a whole number that knows its name. The numbers count the names from the left, from 0.
#
# If there are more columns, they are listed, and nothing is done with them. A model that is to read feelings should read texts, not row numbers.
#
# **Try this:** `dataset["train"]` shows the first rows of a split. `dataset["train"].texts` and `dataset["train"].labels` are the two columns themselves.

# %% [markdown]
# ## A table with superpowers
#
# Now the classic habit: turn everything into a DataFrame. If it's not a DataFrame, did you even look at it? (One can also loop through dictionaries, like a caveman.)

# %%
import pandas as pd

frame = pd.DataFrame(dataset.head())
print(frame[["text", "label"]])

# %% [markdown]
# Five rows, and already a lot to see. People do not write like books. They forget apostrophes, they leave sentences open, and they say the feeling in passing.
#
# The script changes the format of the dataset for this (`set_format`), and back again afterwards (`reset_format`). Here the DataFrame is a copy. The dataset stays as it is, so there is nothing to undo, and we have still felt fancy for a moment.
#
# **Try this:** read fifty rows, not five: `dataset.to_pandas("train").sample(50)`. For each one, guess the label before you look. Keep your score in mind. It will be a good thing to compare a model with.

# %% [markdown]
# ## Names for humans
#
# Numbers are great for computers, but we prefer words.

# %%
print(dataset.labels.id2label)
print(frame)

# %% [markdown]
# Much better. `label` is what the model learns, and `label_name` is what we talk about. You never have to translate by hand: `dataset.to_pandas("train")` has names from the beginning, and every table and picture of emolens writes names.
#
# **Try this:** find the row of the five that you would have labelled differently. Labels are opinions. Whoever wrote them had a reason, a hurry, or both.

# %% [markdown]
# ## Life isn't fair, and classes aren't either
#
# How many texts does each emotion have?

# %%
y_train = dataset.y["train"]
el.ClassFrequencyDisplay.from_predictions(y_train, labels=dataset.labels)

# %% [markdown]
# The bars lie on their side because the names fit better. And because it's prettier.
#
# In `emotion`, joy has 5,362 rows and surprise has 572: nine times fewer. (The corpus `starter` is balanced on purpose, so all its bars are alike.) What does this do to a model? Here is the laziest one there is. It always answers with the largest class of train, and it does not even read the text.

# %%
of_lazy = el.evaluate(dataset, [el.majority(dataset)])
lazy = of_lazy.by_split["validation"]["majority"]
print(f"accuracy {lazy.accuracy:.4f}, macro-F1 {lazy.macro_f1:.4f}")

# %% [markdown]
# In `emotion` it is right in 0.3520 of all cases. A joy addict, and a third of the world agrees with it. So **accuracy** alone can flatter: the share of right answers hides *which* answers are right.
#
# **Macro-F1** is harder to fool. It gives each class a mark between 0 and 1, which is high only if the class is found *and* is not named where it isn't. Then it takes the plain average. Surprise counts as much as joy. The joy addict gets 0.0868.
#
# Keep both numbers. Everything that follows has to beat them.
#
# **Try this:** count what the lazy model would get on test: `dataset.counts("test")`. If its accuracy on your own data is 0.9, what is a model with 0.92 worth?
