# %% [markdown]
# # A map
#
# We are deep in the Transformerverse. We have sliced texts like sushi, and every one of them has become a point: thousands of points, in hundreds of dimensions. Our puny brains see two. Plotting that is like drawing the fourteenth dimension with a crayon. So we flatten it, and stay honest about what that costs.

# %% [markdown]
# ## Scaling: nobody should scream
#
# Some of the numbers in a vector move a lot from text to text. Others hardly move.

# %%
width = X_train.max(axis=0) - X_train.min(axis=0)
print(f"quietest number: {width.min():.2f}, loudest: {width.max():.2f}")
print(f"numbers that do not move: {(width < 1e-6).sum()}")

# %% [markdown]
# (In MiniLM, three numbers do not move at all. They have nothing to say about anything. We all know somebody like that.)
#
# If we measure how far two texts are from each other, the loud numbers decide, and the quiet ones are not heard, whatever they have to say. So each one is scaled to the range from 0 to 1. It's like adjusting the volume of every neuron, so that no one's screaming.

# %%
from sklearn.preprocessing import MinMaxScaler

X_scaled = MinMaxScaler().fit_transform(X_train)
print(X_scaled.shape, f"from {X_scaled.min():.0f} to {X_scaled.max():.0f}")

# %% [markdown]
# The shape has not changed, and neither has the order of the texts. Only the ruler is another one.
#
# **Try this:** which number is the loudest? `width.argmax()`. Sort the texts by it, and read both ends. Sometimes you can see what it stands for. Mostly you can't, and that is a lesson, too.

# %% [markdown]
# ## Why cosine
#
# How near are two texts? One could measure the straight line between their points. Or one could ask whether they point in the same **direction**, and forget how far out they are. That is *cosine* similarity. It's like saying that two people have the same taste in memes, even if they live on opposite sides of the Earth.

# %%
sentences = ["I am so happy today!", "What a wonderful day!",
             "I am so unhappy today!", "The invoice is due."]
points = encoder.encode(sentences)
points /= np.linalg.norm(points, axis=1, keepdims=True)
pd.DataFrame(points @ points.T, index=sentences).round(2)

# %% [markdown]
# The columns 0 to 3 are the same four sentences. On the diagonal stands 1: every text agrees with itself. The invoice agrees with nobody, which is fair.
#
# Now look at the first row again. Happy and *un*happy are neighbors, nearer than the two happy sentences are to each other! The encoder isn't wrong. It was trained to find texts about the same *thing*, and both are about somebody's mood today. It just doesn't care which mood. Keep that in mind when you look at the map.
#
# **Try this:** add "I am not happy today!" Where does it land? You will meet this sentence again at the end of the walk.

# %% [markdown]
# ## UMAP: a cosmic flattening iron
#
# UMAP looks at each text's nearest neighbors, and then lays all texts out on a plane so that neighbors stay neighbors, as far as that is possible. Think of a tangled ball of Christmas lights that is spread on the floor: lamps beside each other on the cable stay beside each other.

# %%
projection = el.project(X_train, y_train)
on_map = pd.DataFrame(projection.xy, columns=["X", "Y"])
on_map["label"] = y_train
print(on_map.shape)

# %% [markdown]
# `project` scales as above and takes cosine. It uses random numbers, with a seed, so that the same texts give the same map tomorrow. In `emotion`, the table is (16000, 3): two places and a label for each text. UMAP did not see the labels. We only put them beside it, for the colors.
#
# **Try this:** `el.project(X_train, y_train, seed=7)`. The map will be turned, or bent, or mirrored. What stays the same is worth believing.

# %% [markdown]
# ## Hexagons, and how to read them
#
# One panel for each class, all with the same axes. A hexagon is darker where more of the texts lie.

# %%
el.DensityDisplay(dataset.labels, projection)

# %% [markdown]
# How to read it: find the dark place of a class, then look at the same place in the other panels. If it is pale there, the encoder sets this class apart. If all panels are dark in the same place, it doesn't. The panels share one scale, so a class with few texts is pale all over. That is not a lack of feeling, only of rows.
#
# In `emotion`, look from top to bottom: joy, love and surprise lie a little higher, sadness and fear a little lower. Anger and love lean to the left. That's all, and all of them overlap a lot; nowhere is there a clean cut. Surprise is pale and all over the place, which somehow suits it. With another encoder, the reference saw much the same: negative feelings near each other, joy and love close, and surprise everywhere.
#
# What about the lonely dark hexagons? They are islands of texts that share a word. In surprise, far on the right, lives "overwhelmed". In fear, it is "terrified" and "scared". So the encoder does group texts, only more by what they say than by how it feels.
#
# That is not a failure. The encoder was never told what joy is. What we see here it has picked up on its own, by guessing hidden words.
#
# **Try this:** draw a map of validation: `el.project(vectors["validation"], dataset.y["validation"])`. Do the classes still keep apart where they did?

# %% [markdown]
# ## What a map can't show
#
# Two dimensions for hundreds: something has to give. How much? Ask every text for its 15 nearest neighbors, and count how many have the same label. Once with all dimensions, once on the map.

# %%
from sklearn.neighbors import NearestNeighbors

for metric, X in {"cosine": X_scaled, "euclidean": projection.xy}.items():
    search = NearestNeighbors(n_neighbors=15, metric=metric).fit(X)
    same = y_train[search.kneighbors(return_distance=False)] == y_train[:, None]
    print(f"{X.shape[1]} dimensions: {same.mean():.2f} of the neighbors agree")

# %% [markdown]
# In `emotion`, 0.47 of the neighbors agree in the space, and 0.40 on the map; pure chance would give about one in four. So the map knows less than the space it was made from. That's the price of being able to look at it.
#
# So, three rules for maps like this one. **Neighbors** mean something. **Distances** between far places mean little: two clusters at opposite ends may be no more different than two at arm's length. And **empty space** means nothing at all. If a map and a figure disagree, believe the figure, and then find out why.
#
# **Try this:** ask the same of one class alone: print `same[y_train == 5].mean()` in the loop, too. In `emotion`, class 5 is surprise. It has fewer such neighbors than the others, both here and there; but does it lose more of them on the way to the map?
